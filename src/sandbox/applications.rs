//! The applications: which state each is in, and what a cancellation makes of it.

use std::collections::HashMap;

use crate::ErrorCode;

/// An application that is pending onboarding when the sandbox starts, like any that is not named here.
///
/// ```
/// use feishu_cancel_onboard::sandbox::{ApplicationState, IN_FEISHU_PEOPLE, PENDING, Sandbox, TERMINATED};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let sandbox = Sandbox::start().await?;
/// assert_eq!(sandbox.application(PENDING), ApplicationState::Pending);
/// assert_eq!(sandbox.application(TERMINATED), ApplicationState::Terminated);
/// assert_eq!(sandbox.application(IN_FEISHU_PEOPLE), ApplicationState::InFeishuPeople);
/// # Ok(())
/// # }
/// ```
pub const PENDING: &str = "1111111111";
/// An application that is already terminated when the sandbox starts.
///
/// See [`PENDING`] for an example.
pub const TERMINATED: &str = "2222222222";
/// An application whose pre-hire record exists in Feishu People when the sandbox starts.
///
/// See [`PENDING`] for an example.
pub const IN_FEISHU_PEOPLE: &str = "3333333333";

/// The state of an application, as far as a cancellation can tell.
///
/// ```
/// use feishu_cancel_onboard::sandbox::{ApplicationState, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let sandbox = Sandbox::start().await?;
/// sandbox.set_application("6949805467799537964", ApplicationState::InFeishuPeople);
/// assert_eq!(sandbox.application("6949805467799537964"), ApplicationState::InFeishuPeople);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApplicationState {
    /// Pending onboarding: it can be cancelled.
    Pending,
    /// Terminated, by a cancellation or otherwise.
    Terminated,
    /// The pre-hire record exists in Feishu People, so it can be cancelled only there.
    InFeishuPeople,
}

pub(super) struct Applications {
    states: HashMap<String, ApplicationState>,
    cancelled: usize,
}

impl Default for Applications {
    fn default() -> Self {
        let states = [(TERMINATED, ApplicationState::Terminated), (IN_FEISHU_PEOPLE, ApplicationState::InFeishuPeople)];
        Self { states: states.map(|(id, state)| (id.to_owned(), state)).into(), cancelled: 0 }
    }
}

impl Applications {
    pub fn state(&self, id: &str) -> ApplicationState {
        self.states.get(id).copied().unwrap_or(ApplicationState::Pending)
    }

    pub fn set(&mut self, id: String, state: ApplicationState) {
        self.states.insert(id, state);
    }

    /// Cancels the onboarding, if its state allows that.
    pub fn cancel(&mut self, id: &str) -> Result<(), ErrorCode> {
        match self.state(id) {
            ApplicationState::Pending => {
                self.set(id.to_owned(), ApplicationState::Terminated);
                self.cancelled += 1;
                Ok(())
            }
            ApplicationState::Terminated => Err(ErrorCode::ApplicationAlreadyTerminated),
            ApplicationState::InFeishuPeople => Err(ErrorCode::ManagedByFeishuPeople),
        }
    }

    /// How many cancellations took effect.
    pub fn cancelled(&self) -> usize {
        self.cancelled
    }
}

//! The language in which an operator is advised.

use feishu_cancel_onboard::{Advice, Delivery};

use crate::arguments::Language;

impl Language {
    /// The one asked for, or else that of the environment.
    pub fn choose(asked: Option<Self>) -> Self {
        let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let set = variables.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
        let chinese = set.is_some_and(|value| value.to_ascii_lowercase().starts_with("zh"));
        asked.unwrap_or(if chinese { Self::Zh } else { Self::En })
    }

    /// One of two texts.
    pub fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    /// The advice in this language.
    pub fn advice(self, advice: &Advice) -> &str {
        self.pick(&advice.en, &advice.zh)
    }

    /// What is known of a failed cancellation.
    pub fn known(self, delivery: Delivery) -> &'static str {
        match delivery {
            Delivery::NotSent => self.pick("nothing was sent, so nothing changed", "请求未发出，未发生任何变更"),
            Delivery::Rejected => self.pick("the platform said no, so nothing changed", "平台已拒绝，未发生任何变更"),
            Delivery::Unknown => self.pick("not known whether it took effect", "尚不确定是否已生效"),
        }
    }
}

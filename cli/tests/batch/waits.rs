//! A wait that the platform asks for: told while it lasts, and too long a one ends the run.

use feishu_cancel_onboard::sandbox::{Answer, Fault};

use crate::command::{Folder, environment, run, unlimited};

fn told_to_wait(seconds: u64) -> Fault {
    Fault::WithoutEffect(Answer::rate_limited(10, seconds).into())
}

#[test]
fn a_wait_is_told_with_its_end_and_the_run_continues_after_it() {
    for (language, expected) in [("en", "the platform asks to wait: "), ("zh", "平台要求等待 ")] {
        let (sandbox, folder) = (unlimited(), Folder::new());
        folder.list(5);
        sandbox.fail_cancellations([told_to_wait(4)]);
        let ran = run(folder.batch(&["--rate", "1000", "--lang", language], &environment(&sandbox)));
        ran.assert_status(0);
        assert_eq!(ran.stderr.matches(expected).count(), 1, "{ran:?}");
        assert!(ran.stderr.contains("UTC"), "{ran:?}");
        assert_eq!(sandbox.cancellations(), 5);
    }
}

#[test]
fn a_wait_of_hours_stops_the_run_and_says_when_to_resume() {
    for (language, expected) in
        [("en", "stopped, because the platform asks to wait until 2"), ("zh", "平台要求等待至 2")]
    {
        let (sandbox, folder) = (unlimited(), Folder::new());
        folder.list(300);
        sandbox.fail_cancellations([told_to_wait(86_400)]);
        let ran = run(folder.batch(&["--rate", "5", "--lang", language], &environment(&sandbox)));
        ran.assert_status(4);
        assert!(ran.stdout.starts_with(expected), "{ran:?}");
        assert!(ran.stdout.contains("--resume"), "{ran:?}");
        // What was under way by then may have been answered; nothing else was called.
        assert!(sandbox.cancellations() <= 5, "{}", sandbox.cancellations());
        let ran = run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox)));
        ran.assert_status(0);
        assert_eq!(sandbox.cancellations(), 300);
    }
}

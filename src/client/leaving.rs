//! What happens to a worker when its user logs out, and what can be done about it before it starts.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for logind. If it does not answer, there is nobody who would kill anything.
const PATIENCE: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The facts that decide whether a worker outlives its user's session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The Slurm job that this process belongs to.
    pub slurm_job: Option<String>,
    /// This process.
    pub pid: u32,
    /// The process that started it.
    pub parent: u32,
    /// Name of the process with id 1.
    pub first_process: String,
    /// Whether this process belongs to a login session of logind.
    pub in_session: bool,
    /// Whether logind kills a user's processes at logout. It spares root.
    pub kills_at_logout: bool,
    /// Whether the user's own services keep running after the last logout.
    pub lingers: bool,
    /// The user's name.
    pub user: String,
}

/// What happens to a worker when its user leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It goes on.
    GoesOn,
    /// It goes on if it is started in a scope of the user's own.
    GoesOnInScope,
    /// It is killed at logout.
    Killed {
        /// The user's name.
        user: String,
    },
    /// It would be killed without warning when its face ends, so it has to end with its face.
    Ends {
        /// What would kill it.
        because: String,
    },
}

/// Where the worker is started: in a scope of the user's own it survives the end of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In the scope of this process.
    #[default]
    Own,
    /// In a scope of the user's service manager.
    User,
}

impl Leaving {
    /// What happens to a worker in these surroundings.
    pub(crate) fn of(around: &Surroundings) -> Self {
        if let Some(job) = &around.slurm_job {
            return Self::Ends {
                because: format!("Slurm job {job} ends with its first process"),
            };
        }
        let real_init = matches!(around.first_process.as_str(), "systemd" | "init");
        if !real_init && (around.pid == 1 || around.parent == 1) {
            return Self::Ends {
                because: "the container ends with its first process".to_owned(),
            };
        }
        match (around.in_session && around.kills_at_logout, around.lingers) {
            (false, _) => Self::GoesOn,
            (true, true) => Self::GoesOnInScope,
            (true, false) => Self::Killed {
                user: around.user.clone(),
            },
        }
    }

    /// What the user should know before training, in one line.
    pub(crate) fn words(&self) -> Option<String> {
        match self {
            Self::GoesOn | Self::GoesOnInScope => None,
            Self::Killed { user } => Some(format!(
                "note: leaving the dashboard is safe, but this machine ends your processes when you log out \
                 (KillUserProcesses); `loginctl enable-linger {user}` before `sparring train` lets training go on"
            )),
            Self::Ends { because } => Some(format!(
                "note: {because}, so leaving the dashboard saves and ends the run"
            )),
        }
    }

    /// Whether the run has to end with its face.
    pub(crate) fn ties(&self) -> bool {
        matches!(self, Self::Ends { .. })
    }

    /// Where to start the worker.
    pub(crate) fn scope(&self) -> Scope {
        match self {
            Self::GoesOnInScope => Scope::User,
            Self::GoesOn | Self::Killed { .. } | Self::Ends { .. } => Scope::Own,
        }
    }
}

impl Scope {
    /// A command that runs another one in this scope, in the same process.
    pub(crate) fn around(self, command: Command) -> Command {
        match self {
            Self::Own => command,
            Self::User => {
                let mut scoped = user_scope();
                scoped.arg(command.get_program()).args(command.get_args());
                for (name, value) in command.get_envs() {
                    if let Some(value) = value {
                        scoped.env(name, value);
                    }
                }
                scoped
            }
        }
    }
}

fn user_scope() -> Command {
    let mut command = Command::new("systemd-run");
    command.args(["--user", "--scope", "--quiet", "--"]);
    command
}

impl Surroundings {
    /// Looks at the machine.
    pub(crate) fn look() -> Self {
        let user = env::var("USER").unwrap_or_default();
        let in_session = fs::read_to_string("/proc/self/cgroup")
            .is_ok_and(|groups| groups.lines().any(is_session));
        let root = rustix::process::geteuid().is_root();
        let kills_at_logout = in_session && !root && kills_user_processes();
        Self {
            slurm_job: env::var("SLURM_JOB_ID").ok().filter(|job| !job.is_empty()),
            pid: std::process::id(),
            parent: std::os::unix::process::parent_id(),
            first_process: fs::read_to_string("/proc/1/comm")
                .map(|name| name.trim().to_owned())
                .unwrap_or_default(),
            in_session,
            kills_at_logout,
            // If the user's service manager starts no scope, lingering does not help a worker.
            lingers: kills_at_logout
                && !user.is_empty()
                && Path::new("/var/lib/systemd/linger").join(&user).exists()
                && answer(user_scope().arg("true")).is_some(),
            user,
        }
    }
}

/// Whether a line of `/proc/self/cgroup` names the scope of a login session.
fn is_session(line: &str) -> bool {
    line.split('/').any(|part| {
        part.strip_prefix("session-")
            .is_some_and(|rest| rest.strip_suffix(".scope").is_some())
    })
}

fn kills_user_processes() -> bool {
    let mut question = Command::new("busctl");
    question.args([
        "get-property",
        "org.freedesktop.login1",
        "/org/freedesktop/login1",
        "org.freedesktop.login1.Manager",
        "KillUserProcesses",
    ]);
    answer(&mut question).is_some_and(|said| said.trim() == "b true")
}

/// What a short command prints; `None` if it does not exist, fails or takes too long.
fn answer(command: &mut Command) -> Option<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let asked = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if asked.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(LOOK_EVERY);
    }
    let output = child.wait_with_output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user who logged in by ssh on a machine with systemd.
    fn session() -> Surroundings {
        Surroundings {
            pid: 4000,
            parent: 3999,
            first_process: "systemd".to_owned(),
            in_session: true,
            user: "ada".to_owned(),
            ..Surroundings::default()
        }
    }

    #[test]
    fn most_sessions_leave_a_worker_alone() {
        assert_eq!(Leaving::of(&session()), Leaving::GoesOn);
        assert_eq!(Leaving::of(&session()).words(), None);
    }

    #[test]
    fn a_logind_that_kills_is_mentioned_with_a_remedy() {
        let around = Surroundings {
            kills_at_logout: true,
            ..session()
        };
        let leaving = Leaving::of(&around);
        assert!(
            leaving
                .words()
                .unwrap()
                .contains("`loginctl enable-linger ada`")
        );
        assert!(!leaving.ties());
        assert_eq!(leaving.scope(), Scope::Own);
    }

    #[test]
    fn a_user_who_lingers_gets_a_scope() {
        let around = Surroundings {
            kills_at_logout: true,
            lingers: true,
            ..session()
        };
        assert_eq!(Leaving::of(&around).scope(), Scope::User);
        assert_eq!(Leaving::of(&around).words(), None);
    }

    #[test]
    fn a_process_outside_of_login_sessions_does_not_end_with_one() {
        let around = Surroundings {
            kills_at_logout: true,
            in_session: false,
            ..session()
        };
        assert_eq!(Leaving::of(&around), Leaving::GoesOn);
    }

    #[test]
    fn in_slurm_and_in_a_container_the_run_ends_with_its_face() {
        let in_slurm = Surroundings {
            slurm_job: Some("4711".to_owned()),
            ..session()
        };
        let first = Surroundings {
            pid: 1,
            parent: 0,
            first_process: "sparring".to_owned(),
            ..Surroundings::default()
        };
        let under_a_shell = Surroundings {
            pid: 7,
            parent: 1,
            first_process: "bash".to_owned(),
            ..Surroundings::default()
        };
        for around in [&in_slurm, &first, &under_a_shell] {
            assert!(Leaving::of(around).ties(), "{around:?}");
        }
        let words = Leaving::of(&in_slurm).words().unwrap();
        assert!(words.contains("Slurm job 4711"), "{words}");
        let adopted = Surroundings {
            parent: 1,
            ..session()
        };
        assert!(
            !Leaving::of(&adopted).ties(),
            "init adopts what lost its parent"
        );
    }

    #[test]
    fn a_session_is_recognised_by_its_scope() {
        assert!(is_session("0::/user.slice/user-1000.slice/session-3.scope"));
        assert!(!is_session(
            "0::/user.slice/user-1000.slice/user@1000.service/tmux.scope"
        ));
    }

    #[test]
    fn a_scope_runs_the_same_command_in_the_same_environment() {
        let mut command = Command::new("/bin/sparring-worker");
        command
            .arg("0123")
            .env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
        let scoped = Scope::User.around(command);
        let arguments: Vec<_> = scoped.get_args().collect();
        assert_eq!(
            arguments,
            [
                "--user",
                "--scope",
                "--quiet",
                "--",
                "/bin/sparring-worker",
                "0123"
            ]
        );
        assert!(scoped.get_envs().any(|(name, _)| name == "GLIBC_TUNABLES"));
    }
}

//! Which program is run for ssh, and with which arguments: as git chooses them (git, `connect.c` and
//! `Documentation/config/ssh`).
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module names the user's own ssh program"
)]

use std::ffi::{OsStr, OsString};
use std::process::Command;

use super::address::{SshAddress, quoted};
use crate::git::GitAccess;

/// The program that the user wants for ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::git) struct SshProgram {
    run: Run,
    variant: Option<Variant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    /// A command of the shell, to which the arguments are added.
    Shell(String),
    /// A program.
    Program(OsString),
}

/// Which options a program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::git) enum Variant {
    /// Those of OpenSSH.
    Ssh,
    /// None at all: a host and a command.
    Simple,
    /// Those of plink, which is a part of `PuTTY`.
    Plink,
    /// Those of the plink of `TortoiseGit`.
    TortoisePlink,
}

impl SshProgram {
    /// Chooses it: `GIT_SSH_COMMAND`, `core.sshCommand`, `GIT_SSH`, `ssh`, in this order; and what it
    /// knows: `GIT_SSH_VARIANT`, `ssh.variant`, else by its name.
    pub(in crate::git) fn of(
        access: &GitAccess,
        core_ssh_command: Option<&str>,
        ssh_variant: Option<&str>,
    ) -> Self {
        let named = |text: &&str| !text.is_empty();
        let command = access.ssh_command.as_deref().filter(named);
        let program = access.ssh_program.as_ref().filter(|name| !name.is_empty());
        let run = match (command.or(core_ssh_command.filter(named)), program) {
            (Some(command), _) => Run::Shell(command.to_owned()),
            (None, Some(program)) => Run::Program(program.clone()),
            (None, None) => Run::Program("ssh".into()),
        };
        let told = access.ssh_variant.as_deref().filter(named);
        let variant = match told.or(ssh_variant.filter(named)) {
            None | Some("auto") => Variant::by_name(&run.name()),
            Some("simple") => Some(Variant::Simple),
            Some("plink" | "putty") => Some(Variant::Plink),
            Some("tortoiseplink") => Some(Variant::TortoisePlink),
            // git takes any other word for its own default, too.
            Some(_) => Some(Variant::Ssh),
        };
        Self { run, variant }
    }

    /// Which options it knows. None where only the program itself can tell, by [`Self::question`].
    pub(super) fn variant(&self) -> Option<Variant> {
        self.variant
    }

    /// Its name, for a message.
    pub(super) fn name(&self) -> String {
        self.run.name().to_string_lossy().into_owned()
    }

    /// `ssh -G`, which prints a configuration and connects to nobody: one that does not know it fails,
    /// and is taken for a [`Variant::Simple`] one.
    pub(super) fn question(&self, access: &GitAccess, address: &SshAddress) -> Command {
        let mut command = self.run.command(access);
        let mut arguments = vec!["-G".to_owned()];
        arguments.extend(options(Variant::Ssh, address));
        arguments.push(address.destination());
        command.args(arguments);
        command
    }

    /// The command that connects and has the host run another, with the environment that the caller
    /// gave and no other.
    pub(super) fn connection(
        &self,
        variant: Variant,
        access: &GitAccess,
        (address, there): (&SshAddress, String),
    ) -> Command {
        let mut command = self.run.command(access);
        if variant == Variant::Ssh {
            command.env("GIT_PROTOCOL", "version=2");
        }
        command.args(options(variant, address));
        // Neither can be taken for an option: `SshAddress` has no part that begins with a dash.
        command.args([address.destination(), there]);
        command
    }

    /// The shell command that `git` is to run so that ssh never asks a person: as the user has it, with
    /// one option more. None where that cannot be said without changing what the user chose.
    pub(in crate::git) fn quiet_shell_command(&self) -> Option<String> {
        match (&self.run, self.variant) {
            (Run::Shell(command), Some(Variant::Ssh)) => {
                Some(format!("{command} -o BatchMode=yes"))
            }
            (Run::Program(program), Some(Variant::Ssh)) => {
                let program = quoted(program.to_str()?);
                Some(format!("{program} -o BatchMode=yes"))
            }
            _ => None,
        }
    }
}

fn options(variant: Variant, address: &SshAddress) -> Vec<String> {
    let (mut options, port): (Vec<&str>, _) = match variant {
        Variant::Ssh => {
            let options = ["-o", "BatchMode=yes", "-o", "SendEnv=GIT_PROTOCOL"];
            (options.into(), "-p")
        }
        Variant::Plink | Variant::TortoisePlink => (vec!["-batch"], "-P"),
        Variant::Simple => return Vec::new(),
    };
    let number = address.port().map(|port| port.to_string());
    if let Some(number) = &number {
        options.extend([port, number]);
    }
    options.into_iter().map(str::to_owned).collect()
}

impl Run {
    fn command(&self, access: &GitAccess) -> Command {
        let mut command = match self {
            Self::Shell(text) => {
                let mut shell = Command::new("sh");
                // The arguments are the shell's "$@": none of them is ever read as its language.
                shell.arg("-c").arg(format!("{text} \"$@\"")).arg(text);
                shell
            }
            Self::Program(program) => Command::new(program),
        };
        command
            .env_clear()
            .envs(access.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The program's own name: of a command, its first word's.
    fn name(&self) -> OsString {
        let path = match self {
            Self::Shell(text) => first_word(text).into(),
            Self::Program(program) => program.clone(),
        };
        let name = path.to_string_lossy();
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        OsStr::new(name).to_owned()
    }
}

/// The first word of a shell's command, its quotes taken off (git, `alias.c`, `split_cmdline`).
fn first_word(command: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = command.trim_start().chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, None) if c.is_ascii_whitespace() => break,
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', quote) if quote != Some('\'') => word.extend(chars.next()),
            (c, _) => word.push(c),
        }
    }
    word
}

impl Variant {
    fn by_name(name: &OsStr) -> Option<Self> {
        let name = name.to_string_lossy().to_ascii_lowercase();
        match name.strip_suffix(".exe").unwrap_or(&name) {
            "ssh" => Some(Self::Ssh),
            "plink" => Some(Self::Plink),
            "tortoiseplink" => Some(Self::TortoisePlink),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(command: Option<&str>, program: Option<&str>, variant: Option<&str>) -> GitAccess {
        GitAccess {
            ssh_command: command.map(str::to_owned),
            ssh_program: program.map(Into::into),
            ssh_variant: variant.map(str::to_owned),
            environment: vec![("HOME".into(), "/h".into())],
            ..GitAccess::default()
        }
    }

    fn words(command: &Command) -> Vec<String> {
        let all = [command.get_program()]
            .into_iter()
            .chain(command.get_args());
        all.map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    fn connection(program: &SshProgram, access: &GitAccess, url: &str) -> Vec<String> {
        let address = SshAddress::of(&url.parse().unwrap()).unwrap();
        let variant = program.variant().unwrap();
        words(&program.connection(variant, access, (&address, address.command())))
    }

    #[test]
    fn the_program_is_chosen_as_git_chooses_it() {
        let run = |access: &GitAccess, core| SshProgram::of(access, core, None).run;
        let all = access(Some("ssh -v"), Some("/opt/ssh"), None);
        assert_eq!(run(&all, Some("ssh -i k")), Run::Shell("ssh -v".into()));
        let some = access(None, Some("/opt/ssh"), None);
        assert_eq!(run(&some, Some("ssh -i k")), Run::Shell("ssh -i k".into()));
        assert_eq!(run(&some, None), Run::Program("/opt/ssh".into()));
        let empty = access(Some(""), Some(""), None);
        assert_eq!(run(&empty, Some("")), Run::Program("ssh".into()));
    }

    #[test]
    fn its_options_are_told_by_its_name_or_by_the_user() {
        let variant = |access: &GitAccess, config| SshProgram::of(access, None, config).variant();
        for (command, want) in [
            ("ssh -i k", Some(Variant::Ssh)),
            ("'/opt/my ssh/ssh' -v", Some(Variant::Ssh)),
            ("/opt/my\\ ssh/ssh", Some(Variant::Ssh)),
            ("C:/x/Plink.EXE -v", Some(Variant::Plink)),
            ("tortoiseplink.exe", Some(Variant::TortoisePlink)),
            ("my-ssh", None),
            ("A=b ssh", None),
        ] {
            assert_eq!(
                variant(&access(Some(command), None, None), None),
                want,
                "{command}"
            );
        }
        let named = access(Some("my-ssh"), None, Some("simple"));
        assert_eq!(variant(&named, Some("ssh")), Some(Variant::Simple));
        let unnamed = access(Some("my-ssh"), None, None);
        assert_eq!(variant(&unnamed, Some("putty")), Some(Variant::Plink));
        assert_eq!(variant(&unnamed, Some("auto")), None);
        assert_eq!(variant(&unnamed, Some("openssh")), Some(Variant::Ssh));
    }

    #[test]
    fn each_program_gets_the_options_that_it_knows() {
        let url = "ssh://git@h:2222/a";
        let with = |variant| {
            let access = access(None, Some("prog"), Some(variant));
            connection(&SshProgram::of(&access, None, None), &access, url)
        };
        let there = ["git@h", "git-upload-pack '/a'"];
        let ssh = [
            "prog",
            "-o",
            "BatchMode=yes",
            "-o",
            "SendEnv=GIT_PROTOCOL",
            "-p",
            "2222",
        ];
        assert_eq!(with("ssh"), [&ssh[..], &there].concat());
        for variant in ["plink", "putty", "tortoiseplink"] {
            let plink = ["prog", "-batch", "-P", "2222"];
            assert_eq!(with(variant), [&plink[..], &there].concat());
        }
        assert_eq!(with("simple"), [&["prog"][..], &there].concat());
    }

    #[test]
    fn arguments_never_become_text_of_the_shell() {
        let access = access(Some("ssh -F '/my config'"), None, None);
        let program = SshProgram::of(&access, None, None);
        let words = connection(&program, &access, "h:$(touch x);'\"`id`");
        assert_eq!(words[..3], ["sh", "-c", "ssh -F '/my config' \"$@\""]);
        assert_eq!(words[words.len() - 2], "h");
        assert_eq!(
            words[words.len() - 1],
            "git-upload-pack '$(touch x);'\\''\"`id`'"
        );
    }

    #[test]
    fn the_environment_is_what_the_caller_gave() {
        let access = access(None, None, None);
        let address = SshAddress::of(&"h:a".parse().unwrap()).unwrap();
        let program = SshProgram::of(&access, None, None);
        let command = program.connection(Variant::Ssh, &access, (&address, address.command()));
        let set: Vec<_> = command.get_envs().collect();
        let value = |text| Some(OsStr::new(text));
        let want = [
            (OsStr::new("GIT_PROTOCOL"), value("version=2")),
            (OsStr::new("HOME"), value("/h")),
        ];
        assert_eq!(set, want);
    }
}

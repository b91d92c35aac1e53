//! The stage that builds the Python package as a wheel, and tries what people install.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The package's folder.
const PACKAGE: &str = "python";
/// What it is built and tested with, pinned.
const REQUIREMENTS: &str = "requirements-dev.txt";
/// READMEs whose Python examples have to run.
const READMES: &[&str] = &["README.md", "python/README.md"];

/// Where everything of the stage is: below cargo's target folder, which no clone tracks.
struct Places {
    root: PathBuf,
    package: PathBuf,
    target: PathBuf,
    /// The environment of the tools; it is kept while the requirements stay.
    tools: PathBuf,
    /// One that has nothing but the wheel, made anew each time.
    fresh: PathBuf,
    wheels: PathBuf,
}

/// Builds the wheel, installs it by itself and runs the examples; then beside the tools, and runs types and tests.
///
/// # Errors
/// The command that failed.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let target = root.join(target);
    let home = target.join("python-stage");
    let places = Places {
        root: root.into(),
        package: root.join(PACKAGE),
        tools: home.join("tools"),
        fresh: home.join("fresh"),
        wheels: home.join("wheels"),
        target,
    };
    places.make_tools()?;
    let wheel = places.build_wheel()?;
    places.try_alone(&wheel)?;
    places.try_with_tools(&wheel)
}

impl Places {
    fn make_tools(&self) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{}: {error}", self.tools.display());
        let wanted = std::fs::read_to_string(self.package.join(REQUIREMENTS)).map_err(told)?;
        let stamp = self.tools.join("made-of.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == wanted) {
            return Ok(());
        }
        self.make_environment(&self.tools)?;
        self.pip(&self.tools, &["-r", REQUIREMENTS])?;
        std::fs::write(stamp, wanted).map_err(told)
    }

    fn make_environment(&self, folder: &Path) -> Result<(), String> {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))
    }

    fn pip(&self, environment: &Path, arguments: &[&str]) -> Result<(), String> {
        let quiet = ["-m", "pip", "--quiet", "--disable-pip-version-check", "install"];
        run(self.python(environment).args(quiet).args(arguments))
    }

    fn build_wheel(&self) -> Result<String, String> {
        if self.wheels.exists() {
            std::fs::remove_dir_all(&self.wheels).map_err(|error| error.to_string())?;
        }
        let mut command = Command::new(program(&self.tools, "maturin"));
        command.current_dir(&self.package).args(["build", "--quiet", "--interpreter"]);
        run(command.arg(program(&self.tools, "python")).arg("--out").arg(&self.wheels))?;
        let mut wheels = std::fs::read_dir(&self.wheels).map_err(|error| error.to_string())?;
        match (wheels.next(), wheels.next()) {
            (Some(Ok(wheel)), None) => Ok(wheel.path().display().to_string()),
            _ => Err(format!("{} should hold one wheel", self.wheels.display())),
        }
    }

    /// In an environment without a compiler, an index or anything else.
    fn try_alone(&self, wheel: &str) -> Result<(), String> {
        self.make_environment(&self.fresh)?;
        self.pip(&self.fresh, &["--no-index", wheel])?;
        let readmes = READMES.iter().map(|path| self.root.join(path));
        run(self.python(&self.fresh).arg("tests/readme.py").args(readmes))
    }

    fn try_with_tools(&self, wheel: &str) -> Result<(), String> {
        self.pip(&self.tools, &["--force-reinstall", "--no-deps", "--no-index", wheel])?;
        // From another folder: in this one Python would import the sources, which have no native module.
        let checked = |module: &[&str]| {
            let mut command = self.python(&self.tools);
            run(command.current_dir(&self.wheels).arg("-m").args(module))
        };
        checked(&["mypy", "--strict", "--no-error-summary", "-p", "modeltrail"])?;
        checked(&["mypy.stubtest", "--concise", "modeltrail"])?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        run(build.current_dir(&self.root).args(["build", "--quiet", "-p", "modeltrail-server"]))?;
        let mut tests = Command::new(program(&self.tools, "pytest"));
        let verifier = self.target.join("debug/modeltrail");
        run(tests.current_dir(&self.package).arg("--quiet").env("MODELTRAIL_BIN", verifier))
    }

    fn python(&self, environment: &Path) -> Command {
        let mut command = Command::new(program(environment, "python"));
        command.current_dir(&self.package).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

fn program(environment: &Path, name: &str) -> PathBuf {
    environment.join("bin").join(name)
}

/// Runs a command, what it prints beside ours.
fn run(command: &mut Command) -> Result<(), String> {
    let told = format!("{command:?}");
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{told} ({status})")),
        Err(error) => Err(format!("{told} cannot be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::run;

    #[test]
    fn a_command_that_fails_is_named() {
        let failed = run(Command::new("cargo").arg("no-such-command-of-modeltrail")).unwrap_err();
        assert!(failed.contains("no-such-command-of-modeltrail"), "{failed}");
        let missing = run(&mut Command::new("no-such-program-of-modeltrail")).unwrap_err();
        assert!(missing.contains("cannot be run"), "{missing}");
    }
}

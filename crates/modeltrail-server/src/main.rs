//! The `modeltrail` program.

fn main() -> std::process::ExitCode {
    modeltrail_server::run(std::env::args_os())
}

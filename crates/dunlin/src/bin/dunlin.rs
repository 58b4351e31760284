//! The command `dunlin`.

fn main() -> std::process::ExitCode {
    dunlin::main()
}

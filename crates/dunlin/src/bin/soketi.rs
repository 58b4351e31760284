//! The command `soketi`: `dunlin` by the name that existing scripts call.

fn main() -> std::process::ExitCode {
    dunlin::main()
}

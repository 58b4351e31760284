//! soketi
fn main() {}

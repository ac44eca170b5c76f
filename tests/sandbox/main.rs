//! The sandbox answers as the platform does, on a real socket, and fails as it is told to.

mod answers;
mod faults;
mod limits;
mod oddities;
mod reasons;
mod tokens;
mod wire;

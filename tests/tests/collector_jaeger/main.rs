//! A real Collector and a real Jaeger with the files of `collector-config/`: first fed by hand, then by the demo.

mod by_hand;
mod config;
mod jaeger;
mod log_file;
mod metrics;
mod prometheus;
mod shop;
mod stack;

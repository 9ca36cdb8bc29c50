//! The gRPC services of the examples, described in Rust, so that nobody needs a protobuf compiler. A service of yours has
//! a `.proto` file in the place of this.

use tonic_build::manual::{Builder, Method, Service};

const CODEC: &str = "tonic_prost::ProstCodec";

fn main() {
    let reserve = Method::builder()
        .name("reserve")
        .route_name("Reserve")
        .input_type("crate::shop::Note")
        .output_type("crate::shop::Note")
        .codec_path(CODEC)
        .build();
    let place = Method::builder()
        .name("place")
        .route_name("Place")
        .input_type("crate::shop::Note")
        .output_type("crate::shop::Note")
        .codec_path(CODEC)
        .server_streaming()
        .build();
    let stock = Service::builder().name("Stock").package("shop.v1").method(reserve).build();
    let orders = Service::builder().name("Orders").package("shop.v1").method(place).build();
    Builder::new().compile(&[stock, orders]);
}

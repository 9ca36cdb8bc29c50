//! Names of the conventions for remote procedure calls.

super::names! {
    /// `rpc.system.name`: which system; `grpc` for us.
    RPC_SYSTEM_NAME = "rpc.system.name",
    /// `rpc.method`: the full name, `package.Service/Method`, or `_OTHER` for one that does not exist.
    RPC_METHOD = "rpc.method",
    /// `rpc.method_original`: the method as it was called, where `rpc.method` is `_OTHER`.
    RPC_METHOD_ORIGINAL = "rpc.method_original",
    /// `rpc.response.status_code`: for gRPC the name of the code, `DEADLINE_EXCEEDED`.
    ///
    /// The next version of the conventions calls it `rpc.status_code`: this is the only place that will have to know.
    RPC_RESPONSE_STATUS_CODE = "rpc.response.status_code",
    /// `rpc.request.metadata`: followed by `.` and a lower-case name: the values of an entry of the request's metadata.
    RPC_REQUEST_METADATA = "rpc.request.metadata",
    /// `rpc.response.metadata`: followed by `.` and a lower-case name: the values of an entry of the response's metadata.
    RPC_RESPONSE_METADATA = "rpc.response.metadata",
}

//! Names of HTTP's conventions, and of the server, client, network and URL attributes that other hops share.

super::names! {
    /// `http.request.method`: the method, or `_OTHER`.
    HTTP_REQUEST_METHOD = "http.request.method",
    /// `http.request.method_original`: the method as it was sent, where that is not one of the known ones.
    HTTP_REQUEST_METHOD_ORIGINAL = "http.request.method_original",
    /// `http.request.resend_count`: how many times this request was sent before; absent on the first attempt.
    HTTP_REQUEST_RESEND_COUNT = "http.request.resend_count",
    /// `http.request.body.size`: bytes of the request's body, as transferred.
    HTTP_REQUEST_BODY_SIZE = "http.request.body.size",
    /// `http.request.header`: followed by `.` and a lower-case name: the values of a request header.
    HTTP_REQUEST_HEADER = "http.request.header",
    /// `http.response.status_code`: the status code, as an integer.
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code",
    /// `http.response.body.size`: bytes of the response's body, as transferred.
    HTTP_RESPONSE_BODY_SIZE = "http.response.body.size",
    /// `http.response.header`: followed by `.` and a lower-case name: the values of a response header.
    HTTP_RESPONSE_HEADER = "http.response.header",
    /// `http.route`: the router's template; never the path.
    HTTP_ROUTE = "http.route",
    /// `url.scheme`: `http`, `https`, …
    URL_SCHEME = "url.scheme",
    /// `url.path`: the path as it was asked for.
    URL_PATH = "url.path",
    /// `url.query`: the query without `?`, redacted.
    URL_QUERY = "url.query",
    /// `url.full`: the whole URL, redacted.
    URL_FULL = "url.full",
    /// `url.template`: the template of a client's URL, where it is known.
    URL_TEMPLATE = "url.template",
    /// `server.address`: the name or address of the server.
    SERVER_ADDRESS = "server.address",
    /// `server.port`: the port of the server.
    SERVER_PORT = "server.port",
    /// `client.address`: the name or address of the client behind all trusted proxies.
    CLIENT_ADDRESS = "client.address",
    /// `client.port`: the port of that client.
    CLIENT_PORT = "client.port",
    /// `network.peer.address`: the address at the other end of the connection.
    NETWORK_PEER_ADDRESS = "network.peer.address",
    /// `network.peer.port`: the port at the other end of the connection.
    NETWORK_PEER_PORT = "network.peer.port",
    /// `network.protocol.name`: the protocol, where it is not `http`.
    NETWORK_PROTOCOL_NAME = "network.protocol.name",
    /// `network.protocol.version`: `1.1`, `2`, …
    NETWORK_PROTOCOL_VERSION = "network.protocol.version",
    /// `user_agent.original`: the `User-Agent` header.
    USER_AGENT_ORIGINAL = "user_agent.original",
}

// Package proxy is a TCP proxy that does to connections what networks and brokers do to them: it resets and refuses them,
// freezes them, lets one end go without telling the other, swallows what is sent, cuts it off in the middle of a packet,
// is late, irregular and slow.
//
// A [Proxy] stands before one server. [Proxy.Set] changes, for the connections there are and for those to come, the
// [Fault] that they suffer; [Proxy.Reset] ends those there are. It promises what TCP promises: bytes arrive in order and
// whole, or the connection ends. So a connection that lost bytes, or one end, is reset at the latest when the fault is
// over; one that was only frozen goes on.
//
// It knows of MQTT where packets begin and end, and what SUBSCRIBE and SUBACK are: it can
// turn a subscription into one that was refused, to something that nobody publishes. It speaks no TLS.
//
// Only tests import this package.
package proxy

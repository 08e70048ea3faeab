// Package desk shows with real processes what becomes of commands and wishes for a gateway that is not there: they are kept,
// also while the receiver is killed, and carried out once when the gateway is back; what has expired never is. Both kinds of
// brokers are tried, the receiver's own and a mosquitto.
//
// That each happened once is read from the gateway's own events, which number every change of a setting. It runs where the
// other tests of whole processes do, and not under -short.
package desk

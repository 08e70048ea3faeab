// Package mqtt is one MQTT 3.1.1 connection's life: the gateway's, the receiver's, the command line's. It is the only door to
// paho, and exists because paho tells the truth under one setting only.
//
// A [Conn] is one connection and is never used twice: when the link is gone the value is spent, and its user connects anew
// with a back-off of its own. Nothing reconnects, resumes or retries behind anybody's back (CleanSession as asked,
// AutoReconnect, ConnectRetry and ResumeSubs off, no store). Thus a message that was [Sent] without an error was
// acknowledged by the broker on this very connection, and every other message ends with an error. Every wait ends by the
// broker's answer, by the loss of the link, by its context, or by a timeout of its own. No goroutine survives [Conn.Close].
//
// Messages arrive one at a time and in the broker's order, from one goroutine, through the one Handler. The handler may
// block: that is the back-pressure, because a message is acknowledged only after the handler returned (or, with ManualAck, when
// its user says so), and a broker sends no more than its inflight window ahead. Waiting messages are kept in a queue bounded
// by their bytes; only while that is full nothing is read. This is why paho runs with OrderMatters(true): with false it
// starts a goroutine for each message, bounded by nothing, and two commands sent in a row arrive in either order.
//
// A subscription is granted or refused by the SUBACK's own codes, which paho's token does not look at. QoS is 1 throughout.
package mqtt

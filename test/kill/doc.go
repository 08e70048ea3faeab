// Package kill tries to break the promise by killing processes: gateway, receiver and broker run as real processes under
// a replay of numbered values, each is SIGKILLed at random and started again, and at the end the database is compared
// with the truth.
//
// The truth is the replay file and the replay's own log of the rows that it handed out, which it writes and fsyncs before
// it hands them out; nothing that the gateway or the receiver says of themselves counts. A row that was handed out must
// be in the database exactly once, unless the gateway was killed within the stated window behind it; and every number of
// every stream must be in the ledger.
//
// HOLDFAST_KILLS sets how many kills each broker gets, HOLDFAST_SEED replays a run.
package kill

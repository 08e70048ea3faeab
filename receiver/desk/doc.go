// Package desk keeps what operators want of devices that are not there: commands until they are answered, and wishes to the
// shadow until they are accepted or rejected. It keeps the last shadow that each device published, too.
//
// It reads what everybody sends to devices and what these answer, on a connection of its own beside ingest's: a flood of
// commands costs the readings nothing but their share of the database, and that is at most one small transaction in
// [calm]. A message is acknowledged to the broker once it is committed, so the process may die anywhere.
//
// What waits is sent when its device says that it is online: at birth, and with each heartbeat as long as no answer has come.
// That may be once too often, which is why a command needs an id: the gateway answers a known one from its stored receipt. What
// the desk sends comes back to it on its own subscription, and is known by the id or the client token.
//
// Kept are commands to one registered device, with an id; not kept are those to groups and to all, retained and invalid ones, and
// what is beyond the bounds of package store. Nothing is ever published retained.
package desk

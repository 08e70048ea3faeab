// Package rules judges readings on the spot: it turns them into alerts, aggregates, derived readings and events of
// schedules, by rules that a YAML file states.
//
// The package is pure. It has no clock and does no I/O: readings and instants go in ([Engine.Apply], [Engine.Tick]),
// records come out, and the same input gives the same output, so that a device, a desk and the receiver agree. Numbers
// are taken as they are: zero and negative values are values.
//
// Durations run on monotonic time. The wall clock gives a window its bounds when it opens and names instants in records;
// a step of it neither stretches a window nor fires a rule. What happened before wall time was synchronised carries the
// record's clock field, from which it is re-timed later.
//
// What a rule remembers (open windows, raised alerts) is bounded whatever comes (memory.go), and [Engine.Checkpoint] writes
// it as JSON, to be stored in the same commit as the readings that made it. After a restart within the same boot everything
// goes on where it was; after a reboot windows that were open come out as partial aggregates and alerts stay raised; what
// belongs to a rule that is gone or reads differently now is closed: its alerts are cleared, its windows come out as partial.
//
// A rule may also decide what becomes of the reading itself, whether it is worth sending ([Engine.Fate]); every rule sees
// every reading all the same, and a reading that is withheld stays on the device as history. What 0, a negative value, no number, a missing quantity and an unknown sensor do to a rule
// stands at the type of its kind.
//
// Rules that raise alerts and schedules may have actions: the engine says what is to be done ([Engine.Orders]), and after a
// restart what stands ([Engine.Standing]). It does none of it.
//
// A rule that fails stops no other: its error is counted and reported once, and after a panic it alone is switched off.
//
// A kind of rule is one file and one line in table.go. An Engine is for one goroutine.
package rules

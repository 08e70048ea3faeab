// Package sensors turns hardware into readings: it finds I²C chips, samples them on a schedule, watches the
// button, and drives LED and outputs.
//
// A [Sensor] reads one chip once. The chips that are known stand in one table, drivers.go; each has its own file, which
// knows the chip's identity, its registers and its arithmetic. A [Bus] is the one place that talks to periph: it takes
// transactions in turn, gives up on one that does not come back, and classifies errors. [OpenBuses] opens the Pi's buses;
// package sensors/simulated has buses with chip models on them.
//
// A [Sampler] owns time. The n-th sample of a sensor is due at start + n·interval; one that is late is skipped and
// counted, never bunched with the next. No chip holds up another's schedule: not a slow one, not a dead one, not one whose
// transaction never returns. Failure is data: it is counted, and each change of a sensor's state is one event. A chip that
// is plugged in while the sampler runs comes in by itself, and one that comes back is set up again.
//
// A [Replay] hands out the rows of a CSV file instead, so that known numbers can be sent through everything behind it.
//
// Nothing but questions is written to a chip before its identity is sure, and a chip that a driver of the kernel owns is
// left alone. A value outside what its chip can measure, or not a finite number, never leaves the package. Readings are not
// stored here, and nothing here knows where they go: what the consumer does not take before the next sample is due is
// skipped and counted.
package sensors

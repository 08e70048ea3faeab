// Package simulated is a Pi without hardware: chips at the level of their registers behind periph's i2c.Bus, weather for
// them to measure, and a button to press.
//
// The drivers of package sensors run on it unchanged, and so do periph's own. The models follow the datasheets where a
// driver could notice: identity, power-up values, what takes effect when, how long a measurement takes, how fine it is.
// The BME280 holds the calibration of Bosch's worked example and computes what its converters would have read, by the
// datasheet's integer formulas, so that a driver gets back what the weather says as finely as the real chip would have
// told it. What the models leave out stands at each of them.
//
// A [Bus] takes faults for tests: a chip unplugged and plugged in again without its settings, one that does not
// acknowledge, answers slowly or with noise, a bus that hangs. An address without a chip fails as on a Pi.
//
// [Weather] is a pure function of time and a seed. It sends the room above 26 °C within the first minute and every two
// minutes after that, so that a threshold rule is seen to raise and clear its alert.
package simulated

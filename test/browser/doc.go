// Package browser looks at both pages as a person would: the real gateway on a simulated Pi, the real receiver with its own
// broker, a real browser. Values move, the button stops and starts, an alert comes and goes, and nothing sticks out on a
// phone. What the test looks for carries a data-test attribute, so that words and looks can change without it.
//
// HOLDFAST_SCREENSHOTS names a folder that pictures of the pages are kept in.
package browser

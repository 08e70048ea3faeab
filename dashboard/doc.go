// Package dashboard is the Pi's own page and HTTP API: live values, history, what waits in the buffer, the link, alerts,
// and the start/stop button. It works without a network: everything is embedded.
//
//	GET  /                              the page
//	GET  /api/v1/status                 a View
//	GET  /api/v1/live                   a View each second, as server-sent events
//	GET  /api/v1/history                one quantity of one sensor over time, at most 1000 points
//	GET  /api/v1/events                 the newest events
//	GET  /api/v1/records                all that the device holds of a span, at most 31 days: a line of JSON for each record
//	POST /api/v1/button                 presses the virtual button; answers with the View that follows
//	POST /api/v1/alerts/{id}/acknowledge  {"by":"ann"}: somebody has seen the alert; answers with the View that follows
//	GET  /api/v1/settings/{key}         a setting: value, origin, reason, revision
//	PUT  /api/v1/settings/{key}         {"value":…,"reason":"…"}
//	DELETE /api/v1/settings/{key}       what the configuration says holds again
//	GET  /api/v1/rules                  the set of rules in force, and how each gets on
//	POST /api/v1/rules/check            {"text":…}: what is wrong with a set, line by line; nothing is changed
//	POST /api/v1/scan                   what answers on the buses, a line each
//	GET  /api/v1/simulated              the chips of a simulated Pi; 404 on a real one
//	POST /api/v1/simulated              {"chip":…,"do":"plug"}, or unplug, hang, corrupt, mend
//	GET  /healthz                       whether the gateway makes progress; being offline is not ill
//	GET  /metrics                       where Options.Metrics is given
//
// Reading needs no login. Writing needs a request from the device itself (a loopback peer that names a loopback host) or
// the token of Options.Token as bearer; there is no default token. Errors are problem+json (RFC 9457).
//
// The package knows nothing of sensors, buffer or uplink: it declares small interfaces, [Status], [History], [Archive], [Settings],
// [Alerts], [Rules] and [Simulated], which cmd/gateway fills. It keeps no state but the count of its subscribers.
package dashboard

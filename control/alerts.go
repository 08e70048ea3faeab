package control

import (
	"context"
	"encoding/json"

	"holdfast"
)

// maxBy is how many bytes name who has seen an alert.
const maxBy = 64

// acknowledge notes that somebody has seen an alert.
func acknowledge(c *Control, args json.RawMessage) (plan, *holdfast.Fault) {
	a := struct {
		Alert string `json:"alert"`
		By    string `json:"by"`
	}{By: string(holdfast.OriginCommand)}
	if c.o.Acknowledge == nil {
		return plan{}, cannot("this device has no rules")
	}
	if fault := decode(args, &a, "alert, and by or none"); fault != nil {
		return plan{}, fault
	}
	switch {
	case a.Alert == "" || len(a.Alert) > 64:
		return plan{}, invalid("alert: %q: want the id of an alert, 1 to 64 characters", cut(a.Alert, 70))
	case a.By == "" || len(a.By) > maxBy:
		return plan{}, invalid("by: %q: want who it is, 1 to %d bytes", cut(a.By, 70), maxBy)
	}
	return plan{work: func(ctx context.Context) (any, error) { return c.o.Acknowledge(ctx, a.Alert, a.By) }}, nil
}

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// scanLimit bounds a scan: a bus that hangs must not hang the command.
const scanLimit = 2 * time.Minute

// scanCommand prints what answers on the buses, a line each.
func scanCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("scan", flag.ContinueOnError)
	simulate := flags.Bool("simulate", false, "scan the simulated Pi")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	ctx, cancel := context.WithTimeout(ctx, scanLimit)
	defer cancel()
	buses := simulated.New(simulated.Options{}).Buses()
	if !*simulate {
		var err error
		if buses, err = sensors.OpenBuses(slog.New(slog.DiscardHandler)); err != nil {
			fmt.Fprintln(out, "some bus did not open:", err)
		}
	}
	cfg, _ := loadConfig(os.Getenv("GATEWAY_CONFIG_FILE"), os.Getenv) // its mistakes are for `gateway check`
	for _, bus := range buses {
		bus.LeaveAlone(cfg.LeaveAlone)
	}
	if len(buses) == 0 {
		return fmt.Errorf("no I²C bus was found; on a Pi, dtparam=i2c_arm=on in config.txt opens one")
	}
	findings := sensors.Scan(ctx, buses)
	for _, f := range findings {
		fmt.Fprintln(out, f)
	}
	if len(findings) == 0 {
		fmt.Fprintf(out, "%d buses, and nothing answers at an address that a known chip can have\n", len(buses))
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"holdfast/internal/cli"
	"holdfast/sensors"
	"holdfast/sensors/simulated"
)

// scanLimit bounds a scan: a bus that hangs must not hang the command.
const scanLimit = 2 * time.Minute

// scanCommand prints what answers on the buses, a line each.
func scanCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := cli.NewFlags("gateway scan")
	simulate := flags.Bool("simulate", false, "scan the simulated Pi")
	if err := cli.Parse(flags, args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, scanLimit)
	defer cancel()
	cfg, _ := loadConfig(os.Getenv("GATEWAY_CONFIG_FILE"), os.Getenv) // its mistakes are for `gateway check`
	if !*simulate {
		release, runs := gatewayRuns(cfg.DataDir)
		defer release()
		if runs {
			found, err := askedToScan(ctx, &cfg)
			if err == nil {
				printFound(out, found, "the gateway that runs here looked, and nothing")
			}
			return err
		}
	}
	buses := simulated.New(simulated.Options{}).Buses()
	if !*simulate {
		var err error
		if buses, err = sensors.OpenBuses(slog.New(slog.DiscardHandler)); err != nil {
			fmt.Fprintln(out, "some bus did not open:", err)
		}
	}
	for _, bus := range buses {
		bus.LeaveAlone(cfg.LeaveAlone)
	}
	if len(buses) == 0 {
		return fmt.Errorf("no I²C bus was found; on a Pi, dtparam=i2c_arm=on in config.txt opens one")
	}
	printFound(out, linesOf(sensors.Scan(ctx, buses)), fmt.Sprintf("%d buses, and nothing", len(buses)))
	return nil
}

func printFound(out io.Writer, found []string, nothing string) {
	for _, line := range found {
		fmt.Fprintln(out, line)
	}
	if len(found) == 0 {
		fmt.Fprintln(out, nothing, "answers at an address that a known chip can have")
	}
}

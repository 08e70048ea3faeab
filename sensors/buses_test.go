package sensors

import (
	"log/slog"
	"strings"
	"testing"
)

func TestOpenBusesNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	buses, err := OpenBuses(slog.New(slog.DiscardHandler), 9998, 9999)
	if len(buses) != 0 || err == nil || !strings.Contains(err.Error(), "i2c-9998") || !strings.Contains(err.Error(), "i2c-9999") {
		t.Errorf("%v, %v: want an error that names both", buses, err)
	}
}

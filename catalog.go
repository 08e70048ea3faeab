package holdfast

// Catalog is a gateway's retained description of what it measures. Revision grows with every change.
type Catalog struct {
	V        int             `json:"v"`
	Revision int64           `json:"revision"`
	Sensors  []CatalogSensor `json:"sensors"`
}

// CatalogSensor describes one sensor.
type CatalogSensor struct {
	Name       string      `json:"name"`
	Chip       string      `json:"chip"`
	State      SensorState `json:"state"`
	Quantities []Quantity  `json:"quantities"`
}

// A Quantity is something that a sensor measures. Its name ends in its base unit.
type Quantity struct {
	Name      string  `json:"name"`      // temperature_celsius
	Unit      string  `json:"unit"`      // for people: °C
	Precision int     `json:"precision"` // decimals worth showing
	Min       float64 `json:"min"`       // of the sensor's range, in the base unit
	Max       float64 `json:"max"`

	// Limits of the quality: a value that moves faster than MaxRate, in base units a second, or is the same for longer than
	// FrozenAfter seconds, is suspect. Zero: there is no such limit.
	MaxRate     float64 `json:"max_rate,omitempty"`
	FrozenAfter float64 `json:"frozen_after,omitempty"`

	Calibrated *Calibrated `json:"calibrated,omitempty"` // nil where values are as the chip gives them
}

// Calibrated says that values are what was measured, times Scale, plus Offset.
type Calibrated struct {
	Scale    float64 `json:"scale"`
	Offset   float64 `json:"offset"`   // in the base unit
	Revision int64   `json:"revision"` // of the setting that says so
}

// Validate returns an error unless all names are what the wire allows.
func (c *Catalog) Validate() error {
	if err := checkVersion(c.V); err != nil {
		return err
	}
	if len(c.Sensors) > 1000 {
		return invalid("sensors", "%d of them: at most 1000", len(c.Sensors))
	}
	for _, s := range c.Sensors {
		if err := CheckSensor(s.Name); err != nil {
			return inside("sensors", err)
		}
		if len(s.Quantities) > 64 {
			return invalid("sensors."+s.Name, "%d quantities: at most 64", len(s.Quantities))
		}
		for _, q := range s.Quantities {
			if err := CheckQuantity(q.Name); err != nil {
				return inside("sensors."+s.Name, err)
			}
			if err := checkText("unit", q.Unit, 32); err != nil {
				return inside("sensors."+s.Name, err)
			}
		}
	}
	return nil
}

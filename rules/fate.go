package rules

// A Fate is what the rules decided about a reading itself. Rules never keep a reading from one another: a reading that is
// withheld still raises alerts and fills windows.
type Fate struct {
	Withheld string // the first rule that wants the reading not to go up; empty: it goes
	Route    string // the way that the first rule with an opinion chose; empty: none did
}

// Fate returns what was decided about the reading of the last [Engine.Apply].
func (e *Engine) Fate() Fate { return e.fate }

func (f *Fate) withhold(rule string) {
	if f.Withheld == "" {
		f.Withheld = rule
	}
}

func (f *Fate) route(to string) {
	if f.Route == "" {
		f.Route = to
	}
}

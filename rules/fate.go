package rules

// A Fate is what the rules decided about a reading itself. Rules never keep a reading from one another: a reading that is
// withheld still raises alerts and fills windows.
type Fate struct {
	Withheld string // the first rule that wants the reading not to go up; empty: it goes
	Route    string // the way that the first rule with an opinion chose; empty: none did

	idle string // the first deadband that saw nothing new in it
	news bool   // a deadband saw something new in it
}

// Fate returns what was decided about the reading of the last [Engine.Apply].
func (e *Engine) Fate() Fate { return e.fate.settled() }

// settled counts the deadbands: a reading goes up where any of those that watch it sees something new.
func (f Fate) settled() Fate {
	if f.Withheld == "" && !f.news {
		f.Withheld = f.idle
	}
	return Fate{Withheld: f.Withheld, Route: f.Route}
}

// vote is what the deadband of the given name found.
func (f *Fate) vote(rule string, news bool) {
	f.news = f.news || news
	if !news && f.idle == "" {
		f.idle = rule
	}
}

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

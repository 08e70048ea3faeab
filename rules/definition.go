package rules

// A Definition tells what a rule of a set is.
type Definition struct {
	Name    string
	Kind    string // the key that it is defined under: threshold, aggregate and so on
	Derives string // the quantity of the readings that it makes; empty where it makes none
}

// Definitions returns what the rules of the set are, in the order of the file.
func (s *Set) Definitions() []Definition {
	all := make([]Definition, len(s.rules))
	for i, r := range s.rules {
		all[i] = Definition{Name: r.name, Kind: r.kind}
		if e, ok := r.program.(*expression); ok {
			all[i].Derives = e.Derive
		}
	}
	return all
}

package broker

import "strings"

// subjects returns MQTT topic filters as the server has them: levels between dots, * for + and > for #. A dot in a topic is
// two slashes there, and an empty level is one. In MQTT a/# is about a itself too.
func subjects(filters []string) []string {
	var out []string
	for _, f := range filters {
		levels := strings.Split(f, "/")
		for i, level := range levels {
			levels[i] = subject(level)
		}
		out = append(out, strings.Join(levels, "."))
		if last := len(levels) - 1; last > 0 && levels[last] == ">" {
			out = append(out, strings.Join(levels[:last], "."))
		}
	}
	return out
}

func subject(level string) string {
	switch level {
	case "":
		return "/"
	case "+":
		return "*"
	case "#":
		return ">"
	}
	return strings.ReplaceAll(level, ".", "//")
}

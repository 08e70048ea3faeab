package access

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"holdfast"
)

// Mosquitto writes the policy as a mosquitto's acl_file. Devices stand there as patterns, so that one more device needs no
// other file; receiver is the name that the receiver logs in with.
func Mosquitto(to io.Writer, t holdfast.Topics, receiver, instance string, logins []Login) error {
	out := bufio.NewWriter(to)
	fmt.Fprintln(out, "# Access rules for mosquitto (acl_file), written by `receiver acl mosquitto`.")
	fmt.Fprintln(out, "# With them: allow_anonymous false, and a password_file from `receiver acl mosquitto --passwords`.")
	fmt.Fprintln(out, "\n# Every device: its own topics, and nothing of another's. The name it logs in with is its device id.")
	const anyName = "%u"
	device := Device(t, anyName)
	lines(out, "pattern", device)
	block(out, receiver, Receiver(t, instance))
	for _, l := range logins {
		if l.Operator {
			block(out, l.Name, Operator(t))
		}
	}
	return out.Flush()
}

func block(out io.Writer, name string, r Rights) {
	fmt.Fprintf(out, "\nuser %s\n", name)
	lines(out, "topic", r)
}

func lines(out io.Writer, word string, r Rights) {
	for _, filter := range r.Publish {
		fmt.Fprintf(out, "%s write %s\n", word, filter)
	}
	for _, filter := range r.Subscribe {
		fmt.Fprintf(out, "%s read %s\n", word, filter)
	}
}

// Passwords writes the logins as a mosquitto's password_file.
func Passwords(to io.Writer, logins []Login) error {
	var text strings.Builder
	for _, l := range logins {
		fmt.Fprintf(&text, "%s:%s\n", l.Name, l.Hash)
	}
	_, err := io.WriteString(to, text.String())
	return err
}

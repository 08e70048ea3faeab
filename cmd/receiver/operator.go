package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/receiver/access"
	"holdfast/receiver/store"
)

// operatorVerbs is the table of what `receiver operator` does.
func operatorVerbs() []cli.Subcommand {
	return []cli.Subcommand{
		{Name: "add", Arguments: "NAME", About: "let somebody send commands, and print name and password", Run: withTask(makes, task.addOperator)},
		{Name: "secret", Arguments: "NAME", About: "print a new password; the old one is worth nothing", Run: withTask(opened, task.newPassword)},
		{Name: "list", About: "print those there are", Run: withTask(opened, task.listOperators)},
		{Name: "remove", Arguments: "NAME", About: "let somebody in no more", Run: withTask(opened, task.removeOperator)},
	}
}

// operatorCommand is `receiver operator VERB`.
func operatorCommand(ctx context.Context, args []string, out io.Writer) error {
	return cli.Choose(ctx, "receiver operator", "receiver operator says who may send commands; VERB -h lists the flags.", operatorVerbs(), args, out)
}

// addOperator lets somebody steer devices, and prints how: lines that are variables of the gateway's own commands too.
func (t task) addOperator(ctx context.Context) error {
	if err := access.CheckName(t.name); err != nil {
		return fmt.Errorf("%w: operator %q: %w", errUsage, t.name, err)
	}
	secret := access.NewSecret()
	err := t.Write(ctx, func(tx *store.Tx) error { return tx.PutOperator(t.name, access.Hash(secret), time.Now()) })
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("a device or an operator is called %s already; `receiver operator secret %s` gives an operator a new password", t.name, t.name)
	}
	if err != nil {
		return err
	}
	return t.printLogin(secret)
}

func (t task) newPassword(ctx context.Context) error {
	secret := access.NewSecret()
	err := t.Write(ctx, func(tx *store.Tx) error { return found(tx.SetOperatorHash(t.name, access.Hash(secret))) })
	if err != nil {
		return t.noOperator(err)
	}
	return t.printLogin(secret)
}

func (t task) removeOperator(ctx context.Context) error {
	return t.noOperator(t.Write(ctx, func(tx *store.Tx) error { return found(tx.DropOperator(t.name)) }))
}

func (t task) noOperator(err error) error {
	if errors.Is(err, errUnknown) {
		return fmt.Errorf("no operator %q; `receiver operator list` shows those there are", t.name)
	}
	return err
}

func (t task) listOperators(ctx context.Context) error {
	logins, err := t.Logins(ctx, "")
	if err != nil {
		return err
	}
	for _, l := range logins {
		if l.Operator {
			fmt.Fprintln(t.out, l.Name)
		}
	}
	return nil
}

func (t task) printLogin(secret holdfast.Secret) error {
	host, port, err := t.cfg.reached()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "MQTT_HOST=%s\nMQTT_PORT=%s\nMQTT_USERNAME=%s\nMQTT_PASSWORD=%s\n", host, strconv.Itoa(port), t.name, string(secret))
	if t.cfg.secure() {
		file, err := filepath.Abs(filepath.Join(t.cfg.ca(), "ca.pem"))
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "MQTT_TLS_ENABLE=true\nMQTT_TLS_CA_CERTS=%s\n", file)
	}
	return nil
}

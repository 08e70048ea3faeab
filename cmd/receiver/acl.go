package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/receiver/access"
	"holdfast/receiver/store"
)

// aclCommand is `receiver acl mosquitto`: the policy of the broker inside, for a mosquitto.
func aclCommand(ctx context.Context, args []string, out io.Writer) error {
	if cli.AsksHelp(args) {
		return cli.HelpWanted{}
	}
	if len(args) == 0 || args[0] != "mosquitto" {
		return fmt.Errorf("%w: want `receiver acl mosquitto`, with --passwords for the password file", errUsage)
	}
	passwords := false
	return withStore(ctx, opened, args[1:], out, func(t task, ctx context.Context) error {
		logins, err := allLogins(t.Store)(ctx, "")
		if err != nil {
			return err
		}
		own := t.cfg.MQTTUsername
		if own == "" {
			own = access.ReceiverName
		}
		if !passwords {
			return access.Mosquitto(t.out, holdfast.Topics{Prefix: t.cfg.TopicPrefix}, own, t.cfg.Instance, logins)
		}
		if t.cfg.MQTTPassword == "" {
			fmt.Fprintf(os.Stderr, "receiver: MQTT_PASSWORD is not set: give %s, the receiver itself, a password with mosquitto_passwd\n", own)
			return access.Passwords(t.out, logins)
		}
		return access.Passwords(t.out, append(logins, access.Login{Name: own, Hash: access.Hash(holdfast.Secret(t.cfg.MQTTPassword))}))
	}, func(f *flag.FlagSet) {
		f.BoolVar(&passwords, "passwords", false, "print the password file in place of the rules")
	})
}

// allLogins returns the lookup of those who may log in.
func allLogins(s *store.Store) func(context.Context, string) ([]access.Login, error) {
	return func(ctx context.Context, only string) ([]access.Login, error) {
		found, err := s.Logins(ctx, only)
		if err != nil {
			return nil, err
		}
		logins := make([]access.Login, len(found))
		for i, l := range found {
			logins[i] = access.Login(l)
		}
		return logins, nil
	}
}

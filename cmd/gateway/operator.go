package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"holdfast"
	"holdfast/internal/cli"
	"holdfast/mqtt"
)

// What an operator does from a desk: `gateway command` and `gateway shadow` speak to a gateway over its broker, with the
// same variables that a gateway reads.

// operator is a connection of a person, and what arrives on it.
type operator struct {
	conn     *mqtt.Conn
	topics   holdfast.Topics
	messages chan mqtt.Message
}

// operatorFlags are the flags that name the broker; what they do not say the variables do.
func operatorFlags(name string) (*flag.FlagSet, func() (Config, error)) {
	flags := cli.NewFlags("gateway " + name)
	given := map[string]*string{
		"MQTT_HOST":         flags.String("host", "", "broker; else MQTT_HOST, else localhost"),
		"MQTT_PORT":         flags.String("port", "", "its port; else MQTT_PORT"),
		"MQTT_USERNAME":     flags.String("username", "", "else MQTT_USERNAME; the password is MQTT_PASSWORD"),
		"MQTT_TLS_ENABLE":   flags.String("tls", "", "true for TLS; else MQTT_TLS_ENABLE"),
		"MQTT_TLS_CA_CERTS": flags.String("ca", "", "file of the authorities to trust; else MQTT_TLS_CA_CERTS"),
		"TOPIC_PREFIX":      flags.String("prefix", "", "stands before every topic; else TOPIC_PREFIX"),
	}
	return flags, func() (Config, error) {
		cfg, err := loadConfig("", func(variable string) string {
			value, ok := given[variable]
			if !ok {
				return os.Getenv(variable)
			}
			return cmp.Or(*value, os.Getenv(variable))
		})
		cfg.MQTTHost = cmp.Or(cfg.MQTTHost, "localhost")
		return cfg, err
	}
}

// connectOperator connects and subscribes.
func connectOperator(ctx context.Context, cfg Config, filters ...string) (*operator, error) {
	o := &operator{topics: holdfast.Topics{Prefix: cfg.TopicPrefix}, messages: make(chan mqtt.Message, 64)}
	options := mqtt.Options{
		Broker:   "tcp://" + net.JoinHostPort(cfg.MQTTHost, strconv.Itoa(cfg.MQTTPort)),
		ClientID: cmp.Or(cfg.MQTTUsername, "operator") + "-" + rand.Text()[:12], // the receiver's broker wants the login's name in it
		Username: cfg.MQTTUsername, Password: cfg.MQTTPassword, CleanSession: true, Log: slog.New(slog.DiscardHandler),
		Handler: func(m mqtt.Message) {
			select {
			case o.messages <- m:
			case <-ctx.Done():
			}
		},
	}
	if cfg.TLS.Enable {
		config, err := cfg.TLS.load()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		options.Broker, options.TLS = "ssl"+strings.TrimPrefix(options.Broker, "tcp"), config
	}
	var err error
	if o.conn, err = mqtt.Connect(ctx, options); mqtt.LoginRefused(err) {
		return nil, fmt.Errorf("%w, as user %q: the name comes from --username or MQTT_USERNAME, the password from MQTT_PASSWORD, and what they do not say from HOLDFAST_JOIN", err, cfg.MQTTUsername)
	}
	if err != nil {
		return nil, err
	}
	if err := o.conn.Subscribe(ctx, filters...); err != nil {
		o.conn.Close(ctx)
		return nil, err
	}
	return o, nil
}

// next returns the next message, or an error when the link is lost or ctx ends.
func (o *operator) next(ctx context.Context) (mqtt.Message, error) {
	select {
	case m := <-o.messages:
		return m, nil
	case <-o.conn.Lost():
		return mqtt.Message{}, o.conn.Err()
	case <-ctx.Done():
		return mqtt.Message{}, ctx.Err()
	}
}

// commandCommand is `gateway command DEVICE NAME key=value …`: it sends a command and prints the result. With --group or
// --all in place of DEVICE it prints a line for each device that answers while it waits.
func commandCommand(ctx context.Context, args []string, out io.Writer) error {
	flags, config := operatorFlags("command")
	patience := cli.DurationFlag(flags, "wait", 10*time.Second, "`duration` to wait for the result, with --group and --all for those of all; the command expires then")
	from := flags.String("from", os.Getenv("USER"), "who asks, for the device's events")
	key := flags.String("key", "", "file of the Ed25519 private key that signs the command, in PEM")
	group := flags.String("group", "", "ask the devices of this group")
	all := flags.Bool("all", false, "ask every device")
	words, err := cli.Mixed(flags, args)
	if err != nil {
		return err
	}
	to, words, err := newTarget(*group, *all, words)
	if err != nil {
		return err
	}
	arguments, err := pairs(words[1:])
	if err != nil {
		return err
	}
	cfg, err := config()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	command := holdfast.Command{V: holdfast.Version, ID: rand.Text(), Name: words[0], Args: arguments, From: *from,
		Expires: time.Now().Add(*patience).UTC().Truncate(time.Second).Add(time.Second)}
	if *key != "" {
		if err := sign(&command, to.String(), *key); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, *patience)
	defer cancel()
	ask := askOne
	if to.device == "" {
		ask = askMany
	}
	if err := ask(ctx, cfg, to, command, out); err != nil {
		return fmt.Errorf("command %s to %s: %w", command.Name, to, err)
	}
	return nil
}

// askOne sends a command to one device and prints its last result. One that did not succeed is an error too.
func askOne(ctx context.Context, cfg Config, to target, command holdfast.Command, out io.Writer) error {
	result, err := sendCommand(ctx, cfg, to.device, command)
	if err != nil {
		return err
	}
	if err := printJSON(out, result); err != nil {
		return err
	}
	if result.State != holdfast.Succeeded {
		return fmt.Errorf("%s: %w", result.State, result.Error)
	}
	return nil
}

// sendCommand sends a command and returns its last result.
func sendCommand(ctx context.Context, cfg Config, device string, command holdfast.Command) (*holdfast.Result, error) {
	topics := holdfast.Topics{Prefix: cfg.TopicPrefix}
	o, err := connectOperator(ctx, cfg, topics.Device(device, holdfast.TopicResponse))
	if err != nil {
		return nil, err
	}
	defer o.conn.Close(ctx)
	payload, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	if err := o.conn.Publish(ctx, mqtt.Message{Topic: topics.Device(device, holdfast.TopicCommand), Payload: payload}); err != nil {
		return nil, err
	}
	var last *holdfast.Result
	for {
		m, err := o.next(ctx)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && last != nil:
			return nil, fmt.Errorf("still %s", last.State)
		case errors.Is(err, context.DeadlineExceeded):
			return nil, errors.New("no answer; is the gateway online?")
		case err != nil:
			return nil, err
		}
		var result holdfast.Result
		if json.Unmarshal(m.Payload, &result) != nil || result.ID != command.ID {
			continue
		}
		last = &result
		if last.State != holdfast.Accepted && last.State != holdfast.Running {
			return last, nil
		}
	}
}

// shadowCommand is `gateway shadow get|set|delete DEVICE [key=value …]`.
func shadowCommand(ctx context.Context, args []string, out io.Writer) error {
	flags, config := operatorFlags("shadow")
	patience := cli.DurationFlag(flags, "wait", 10*time.Second, "`duration` to wait for the answer")
	words, err := cli.Mixed(flags, args)
	if err != nil {
		return err
	}
	valid := len(words) == 2 && (words[0] == "get" || words[0] == "delete") || len(words) > 2 && words[0] == "set"
	if !valid || holdfast.CheckDevice(words[1]) != nil {
		return fmt.Errorf("%w: want gateway shadow get DEVICE, gateway shadow set DEVICE key=value …, or gateway shadow delete DEVICE", errUsage)
	}
	request := holdfast.Shadow{ClientToken: rand.Text()}
	verb := map[string]string{"get": holdfast.ShadowGet, "set": holdfast.ShadowUpdate, "delete": holdfast.ShadowDelete}[words[0]]
	if verb == holdfast.ShadowUpdate {
		desired, err := pairs(words[2:])
		if err == nil {
			err = json.Unmarshal(desired, &request.State.Desired)
		}
		if err != nil {
			return err
		}
	}
	cfg, err := config()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	ctx, cancel := context.WithTimeout(ctx, *patience)
	defer cancel()
	if err := askShadow(ctx, cfg, words[1], verb, request, out); err != nil {
		return fmt.Errorf("shadow of %s: %w", words[1], err)
	}
	return nil
}

// askShadow sends a request to a shadow and prints the answer; one that is rejected is an error too.
func askShadow(ctx context.Context, cfg Config, device, verb string, request holdfast.Shadow, out io.Writer) error {
	topic := holdfast.Topics{Prefix: cfg.TopicPrefix}.Device(device, holdfast.ShadowTopic(verb))
	o, err := connectOperator(ctx, cfg, topic+"/accepted", topic+"/rejected")
	if err != nil {
		return err
	}
	defer o.conn.Close(ctx)
	payload, err := json.Marshal(request) // the device says what is wrong with it
	if err != nil {
		return err
	}
	if err := o.conn.Publish(ctx, mqtt.Message{Topic: topic, Payload: payload}); err != nil {
		return err
	}
	for {
		m, err := o.next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return errors.New("no answer; is the gateway online?")
		}
		if err != nil {
			return err
		}
		var answer struct {
			Token string `json:"clientToken"`
		}
		if json.Unmarshal(m.Payload, &answer) != nil || answer.Token != request.ClientToken {
			continue
		}
		if err := printJSON(out, json.RawMessage(m.Payload)); err != nil {
			return err
		}
		if strings.HasSuffix(m.Topic, "/rejected") {
			return errors.New("rejected")
		}
		return nil
	}
}

// pairs makes an object of key=value words, nil of none. A value is JSON where it is JSON, and text otherwise.
func pairs(words []string) (json.RawMessage, error) {
	object := make(map[string]json.RawMessage)
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%w: %q: want key=value", errUsage, word)
		}
		object[key] = json.RawMessage(value)
		if !json.Valid(object[key]) {
			quoted, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", errUsage, key, err)
			}
			object[key] = quoted
		}
	}
	if len(object) == 0 {
		return nil, nil
	}
	return json.Marshal(object)
}

func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

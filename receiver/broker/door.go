package broker

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"holdfast"
	"holdfast/receiver/access"
)

const (
	lookupTimeout  = 5 * time.Second
	patrolInterval = 2 * time.Second
	maxConnections = 1 << 20

	// insideName is the name under which limit speaks to the server; no device can have it.
	insideName = "$inside"
)

// A door decides who gets in. It outlives the server, which may be started anew.
type door struct {
	o        Options
	inside   string          // password of limit
	receiver holdfast.Secret // password of the receiver's own link
	complain *complaints

	mu    sync.Mutex
	known map[uint64]guest // connections by the server's number for them
}

// A guest is who a connection belongs to.
type guest struct {
	name, hash string // hash is empty for the receiver's own
}

func newDoor(o Options) *door {
	return &door{
		o: o, inside: rand.Text(), receiver: access.NewSecret(),
		complain: &complaints{log: o.Log}, known: make(map[uint64]guest),
	}
}

// A keeper stands at the door of one life of the server, which calls Check for each client that connects.
type keeper struct {
	*door
	server *server.Server
}

// Check lets a client in and gives it its rights, or refuses it and logs why.
func (k *keeper) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if opts.Username == insideName {
		return c.Kind() == server.CLIENT && same(opts.Password, k.inside)
	}
	if opts.Username == access.ReceiverName && same(opts.Password, string(k.receiver)) {
		k.admit(c, guest{name: access.ReceiverName}, access.Receiver(k.o.Topics, k.o.Instance))
		return true
	}
	login, why := k.login(opts.Username, opts.Password)
	if why == "" {
		if id := k.clientID(c.GetID()); !login.MayUse(id) {
			why = "the client id is not its name, a dash and letters or digits: " + id
		}
	}
	if why != "" {
		k.complain.about(login.Name, opts.Username, "refused at the broker", slog.String("why", why), slog.String("from", c.RemoteAddress().String()))
		return false
	}
	k.admit(c, guest{login.Name, login.Hash}, login.Rights(k.o.Topics))
	return true
}

// login returns who has that name and secret, or why nobody has; with a name alone where that is registered.
func (k *keeper) login(name, password string) (access.Login, string) {
	if name == "" {
		return access.Login{}, "no name and secret: a device has them in its HOLDFAST_JOIN"
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	found, err := k.o.Logins(ctx, name)
	switch {
	case err != nil:
		return access.Login{}, "the registry does not answer: " + err.Error()
	case len(found) != 1:
		return access.Login{}, "nobody of that name is registered, or it is retired"
	case !access.Matches(found[0].Hash, password):
		return access.Login{Name: name}, "wrong secret"
	}
	return found[0], ""
}

// clientID returns the MQTT client id of a connection, which the server tells only this way.
func (k *keeper) clientID(number uint64) string {
	connections, err := k.server.Connz(&server.ConnzOptions{CID: number})
	if err != nil || len(connections.Conns) != 1 {
		return ""
	}
	return connections.Conns[0].MQTTClient
}

func (k *keeper) admit(c server.ClientAuthentication, g guest, r access.Rights) {
	k.mu.Lock()
	k.known[c.GetID()] = g
	k.mu.Unlock()
	c.RegisterUser(&server.User{Username: g.name, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: subjects(r.Publish)},
		Subscribe: &server.SubjectPermission{Allow: subjects(r.Subscribe)},
	}})
}

// name returns who a connection belongs to, "" where that is not known.
func (d *door) name(number uint64) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[number].name
}

// patrol cuts, until ctx ends, the connections of names that are gone or got another secret.
func (b *Broker) patrol(ctx context.Context) {
	tick := time.NewTicker(patrolInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		b.mu.Lock()
		r := b.current
		b.mu.Unlock()
		if r == nil {
			continue
		}
		if err := b.door.clear(ctx, r.server); err != nil && ctx.Err() == nil {
			b.o.Log.Warn("broker cannot look up who may be connected", "err", err)
		}
	}
}

// clear goes over all connections once.
func (d *door) clear(ctx context.Context, s *server.Server) error {
	connections, err := s.Connz(&server.ConnzOptions{Limit: maxConnections})
	if err != nil {
		return err
	}
	open := make(map[uint64]bool, len(connections.Conns))
	for _, c := range connections.Conns {
		open[c.Cid] = true
	}
	logins, err := d.o.Logins(ctx, "")
	if err != nil {
		return err
	}
	hashes := make(map[string]string, len(logins))
	for _, l := range logins {
		hashes[l.Name] = l.Hash
	}
	d.mu.Lock()
	gone := make(map[uint64]string)
	for number, g := range d.known {
		switch {
		case !open[number]:
			delete(d.known, number)
		case g.hash != "" && hashes[g.name] != g.hash:
			gone[number] = g.name
		}
	}
	d.mu.Unlock()
	for number, name := range gone {
		d.o.Log.Info("connection cut: its name is retired or has a new secret", "name", name)
		_ = s.DisconnectClientByID(number) // an error says that it has ended by itself
	}
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

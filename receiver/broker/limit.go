package broker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// limitTimeout is for the few words that limit exchanges with the server, in memory.
const limitTimeout = 10 * time.Second

// limit bounds the stream in which the server keeps MQTT messages that wait for their readers. Unless told otherwise it has no
// bound of its own; then one reader that stays away fills the whole store, and the server cuts off everybody who publishes.
// With a bound that drops the oldest message, the one that stays away loses. The server takes a stream that is there as it is.
func limit(s *server.Server, password string, maxBytes int64) error {
	conn, err := s.InProcessConn()
	if err != nil {
		return fmt.Errorf("limit stream: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limitTimeout)); err != nil {
		return fmt.Errorf("limit stream: %w", err)
	}
	config, err := json.Marshal(server.StreamConfig{
		Name:      "$MQTT_msgs",
		Subjects:  []string{"$MQTT.msgs.>"},
		Storage:   server.FileStorage,
		Retention: server.InterestPolicy,
		Discard:   server.DiscardOld,
		MaxBytes:  maxBytes,
		MaxMsgs:   -1,
		Replicas:  1,
	})
	if err != nil {
		return fmt.Errorf("limit stream: %w", err)
	}
	in := bufio.NewReader(conn)
	if _, err := in.ReadString('\n'); err != nil { // the server speaks first, and the pipe has no room
		return fmt.Errorf("limit stream: %w", err)
	}
	if _, err := io.WriteString(conn, `CONNECT {"verbose":false,"headers":false,"user":"`+insideName+`","pass":"`+password+"\"}\r\nSUB answer 1\r\n"); err != nil {
		return fmt.Errorf("limit stream: %w", err)
	}
	if err := request(conn, in, "$JS.API.STREAM.CREATE.$MQTT_msgs", config); err == nil {
		return nil
	}
	if err := request(conn, in, "$JS.API.STREAM.UPDATE.$MQTT_msgs", config); err != nil { // from an earlier start, with another bound
		return fmt.Errorf("limit stream: %w", err)
	}
	return nil
}

// request asks in the server's own protocol, and returns the error that the answer holds.
func request(out io.Writer, in *bufio.Reader, subject string, payload []byte) error {
	if _, err := fmt.Fprintf(out, "PUB %s answer %d\r\n%s\r\n", subject, len(payload), payload); err != nil {
		return err
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "PING":
			if _, err := io.WriteString(out, "PONG\r\n"); err != nil {
				return err
			}
		case words[0] == "-ERR":
			return errors.New(strings.TrimSpace(line))
		case words[0] == "MSG":
			return readAnswer(in, words[len(words)-1])
		}
	}
}

func readAnswer(in *bufio.Reader, length string) error {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > 1<<20 {
		return fmt.Errorf("answer of %q bytes", length)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(in, text); err != nil {
		return err
	}
	var answer struct{ Error *server.ApiError }
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return answer.Error
	}
	return nil
}

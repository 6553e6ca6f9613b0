#!/bin/sh
# Writes Alertmanager's configuration from .env and becomes it: who is told of an alert, by webhook, mail or both.
# Without either it ends: watching that tells nobody looks like watching.
set -eu
umask 077
file="${CONFIGURATION:-/tmp/alertmanager.yml}"

if [ -z "${ALERTS_WEBHOOK_URL:-}" ] && [ -z "${ALERTS_MAIL_TO:-}" ]; then
    echo "alerts would reach nobody: set ALERTS_WEBHOOK_URL or ALERTS_MAIL_TO in .env" >&2
    exit 1
fi
if [ -n "${ALERTS_MAIL_TO:-}" ] && [ -z "${SMTP_HOST:-}" ]; then
    echo "ALERTS_MAIL_TO needs the mail server: BANCHENG_SMTP_HOST in .env" >&2
    exit 1
fi

quoted() { # text: as YAML has it in single quotes
    printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"
}

{
    if [ -n "${ALERTS_MAIL_TO:-}" ]; then
        echo "global:"
        echo "  smtp_smarthost: $(quoted "$SMTP_HOST:${SMTP_PORT:-587}")"
        echo "  smtp_from: $(quoted "${SMTP_SENDER:-}")"
        if [ -n "${SMTP_USERNAME:-}" ]; then
            echo "  smtp_auth_username: $(quoted "$SMTP_USERNAME")"
            if [ -n "${SMTP_PASSWORD:-}" ]; then
                echo "  smtp_auth_password: $(quoted "$SMTP_PASSWORD")"
            else
                echo "  smtp_auth_password_file: /run/secrets/bancheng_smtp_password"
            fi
        fi
        # Port 465 is TLS from the start whatever stands here; `none` is for a relay on a trusted network.
        case "${SMTP_SECURITY:-starttls}" in
        none) echo "  smtp_require_tls: false" ;;
        *) echo "  smtp_require_tls: true" ;;
        esac
    fi
    cat <<END
route:
  receiver: operators
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    # Fires always. Posted on and on where somebody notices that it stops; told to no operator.
    - matchers: [alertname="Watchdog"]
      receiver: watchdog
      group_wait: 0s
      group_interval: 1m
      repeat_interval: 5m
    - matchers: [severity="warning"]
      receiver: operators
      repeat_interval: 24h
receivers:
  - name: watchdog
END
    if [ -n "${ALERTS_WATCHDOG_URL:-}" ]; then
        echo "    webhook_configs:"
        echo "      - url: $(quoted "$ALERTS_WATCHDOG_URL")"
        echo "        send_resolved: false"
    fi
    echo "  - name: operators"
    if [ -n "${ALERTS_WEBHOOK_URL:-}" ]; then
        echo "    webhook_configs:"
        echo "      - url: $(quoted "$ALERTS_WEBHOOK_URL")"
    fi
    if [ -n "${ALERTS_MAIL_TO:-}" ]; then
        echo "    email_configs:"
        echo "      - to: $(quoted "$ALERTS_MAIL_TO")"
        echo "        send_resolved: true"
        if [ -n "${SMTP_CA:-}" ]; then
            echo "        tls_config:"
            echo "          ca_file: $(quoted "$SMTP_CA")"
        fi
    fi
} >"$file"

# Alone: it looks for no others of its kind.
exec "${ALERTMANAGER:-/bin/alertmanager}" --config.file="$file" --storage.path="${STORAGE:-/alertmanager}" \
    --cluster.listen-address=

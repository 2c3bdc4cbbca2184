//! All settings there are.

use super::Setting;

/// All settings, in the order they are shown.
pub const SETTINGS: [Setting; 66] = [
    Setting {
        in_file: false,
        default: Some("none"),
        ..anywhere("config", "--config FILE", "TACITD_CONFIG", "path", "The file of settings.")
    },
    anywhere(
        "data",
        "--data DIR",
        "TACITD_DATA",
        "path",
        "Data directory, as `tacitd init` made it.",
    ),
    anywhere(
        "vault_url",
        "--vault-url URL",
        "TACITD_VAULT_URL",
        "URL",
        "Database of the vault, `postgres://user@host/database`, in place of a file in the data directory; several servers may \
         share one. Its password: `PGPASSWORD`, or a file as in `PGPASSFILE`.",
    ),
    anywhere(
        "desk_url",
        "--desk-url URL",
        "TACITD_DESK_URL",
        "URL",
        "Database of the desk, `postgres://user@host/database`, in place of a file in the data directory; never the vault's. \
         Its password as with `vault_url`.",
    ),
    anywhere(
        "listen",
        "--listen ADDR:PORT",
        "TACITD_LISTEN",
        "address:port",
        "Where to listen. Port 0 takes a free one.",
    ),
    Setting {
        default: Some(ORIGIN),
        ..in_file(
            "origin.mint",
            "origin",
            "Where wallets find the mints, such as `https://mint.example.org`. They answer under every other name, too.",
        )
    },
    Setting {
        default: Some(ORIGIN),
        ..in_file("origin.desk", "origin", "The desk's: portal, consoles, checkout.")
    },
    Setting {
        default: Some(ORIGIN),
        ..in_file("origin.wallet", "origin", "That of the wallet that people carry.")
    },
    in_file(
        "listener.desk",
        "address:port",
        "A listener for the desk alone; then it answers nowhere else.",
    ),
    in_file("listener.wallet", "address:port", "The same for the wallet."),
    in_file(
        "listener.operator",
        "address:port",
        "A listener for `/health`, `/ready` and `/metrics`; then `/metrics` answers nowhere else.",
    ),
    in_file(
        "tls.certificate",
        "path",
        "Certificate and those it leads back to, in PEM; read anew when it changes.",
    ),
    in_file("tls.key", "path", "Its key, in PEM."),
    Setting {
        default: Some("`false`, and then `[acme]` is an error"),
        ..in_file(
            "acme.terms_agreed",
            "boolean",
            "Get a certificate by ACME for every `https` origin; you agree to the authority's terms.",
        )
    },
    in_file(
        "acme.contact",
        "URL",
        "Where the authority writes to, such as `mailto:ops@example.org`.",
    ),
    Setting {
        default: Some("Let's Encrypt's"),
        ..in_file(
            "acme.directory",
            "URL",
            "The authority's directory; for trials `https://acme-staging-v02.api.letsencrypt.org/directory`.",
        )
    },
    Setting {
        default: Some("`/etc/ssl/certs/ca-certificates.crt`"),
        ..in_file(
            "acme.roots",
            "path",
            "Roots that the authority's own certificate leads back to, in PEM.",
        )
    },
    anywhere(
        "insecure_http",
        "--insecure-http",
        "TACITD_INSECURE_HTTP",
        "boolean",
        "Speak to other machines without TLS: a proxy that speaks it stands in front.",
    ),
    in_file("limit.connections", "integer", "Connections at once; further ones wait."),
    Setting {
        default: Some("10000 for each core"),
        ..in_file(
            "limit.requests_per_second",
            "integer",
            "Requests, of everyone together; as all of `limit`, ten seconds' worth at once, and 0 for no limit.",
        )
    },
    in_file("limit.quotes_per_second", "integer", "Quotes opened, of everyone together."),
    Setting {
        default: Some("1000 for each core"),
        ..in_file(
            "limit.lookups_per_second",
            "integer",
            "Questions about proofs and outputs (NUT-07, NUT-09), of everyone together.",
        )
    },
    in_file("limit.sockets_per_second", "integer", "WebSockets opened, of everyone together."),
    in_file(
        "limit.logins_per_second",
        "integer",
        "Passkeys asked for at the desk, of everyone together: to log in, to open an account, to add one.",
    ),
    in_file(
        "limit.connection_requests_per_second",
        "integer",
        "Requests over one connection, and messages over one WebSocket.",
    ),
    anywhere(
        "demo",
        "--demo",
        "TACITD_DEMO",
        "boolean",
        "Quotes pay themselves and the clock can be moved: for trials, never with real money.",
    ),
    Setting {
        in_file: false,
        default: Some(
            "none: then `TACITD_PASSPHRASE`, then the systemd credential `tacitd-passphrase`",
        ),
        ..anywhere(
            "passphrase",
            "--passphrase-file FILE",
            "TACITD_PASSPHRASE_FILE",
            "path",
            "File with the passphrase of the seed.",
        )
    },
    Setting {
        default: Some("`Tacit (usd)`, with the unit's code"),
        ..in_file(
            "about.name",
            "string",
            "Name of the mint, for wallets (NUT-06); as all of `about`.",
        )
    },
    in_file("about.description", "string", "One line on the mint."),
    in_file("about.description_long", "string", "More on the mint."),
    Setting {
        default: Some("required in each"),
        ..in_file(
            "about.contact.method",
            "string",
            "In each `[[about.contact]]`: kind of address, such as `email`.",
        )
    },
    Setting {
        default: Some("required in each"),
        ..in_file("about.contact.info", "string", "In each `[[about.contact]]`: the address.")
    },
    in_file("about.motd", "string", "What wallets must show today."),
    in_file("about.icon_url", "URL", "Where the mint's icon is."),
    in_file("about.tos_url", "URL", "Where its terms of service are."),
    in_file(
        "about.public_url",
        "URL",
        "Where wallets are told that the mints are, if that is not `origin.mint`; each unit's path is added to it.",
    ),
    in_file(
        "bank.name",
        "string",
        "Name of whoever owns the accounts at the bank, for payout files.",
    ),
    in_file(
        "bank.folder",
        "path",
        "Where the bank's statements are put, to be imported: written under another name, then renamed to `.xml`.",
    ),
    in_file(
        "merchants.webhook_origins",
        "origins",
        "Where webhooks may go beside the public internet over TLS, such as `[\"http://tills.internal:8080\"]`: programs of shops on a network of your own.",
    ),
    in_file("complaint.days", "integer", "Business days to answer a complaint in."),
    in_file("complaint.days_extended", "integer", "The same after a holding reply."),
    Setting {
        default: Some("24"),
        ..in_file(
            "agent.code_hours",
            "integer",
            "How long a code for cash at an agent is good; what nobody fetched is given back then. At most 720.",
        )
    },
    Setting {
        default: Some("15"),
        ..in_file(
            "agent.deposit_minutes",
            "integer",
            "How long a code to pay cash in at an agent is good. At most 1440.",
        )
    },
    Setting {
        default: Some("none, and no certificates; a demonstration has one of its own"),
        ..in_file(
            "passport.scorecard",
            "path",
            "The signed scorecard that certificates are made by: `tacit score fit` writes it, with the counters of a passport.",
        )
    },
    in_file(
        "passport.again_months",
        "integer",
        "How long whoever had a passport before and begins again is too new for certificates: as long as the longest loan, and some. \
         At most 120.",
    ),
    Setting {
        default: Some("none: a page says that there is no wallet"),
        ..anywhere(
            "wallet.directory",
            "--wallet DIR",
            "TACITD_WALLET",
            "path",
            "Directory of a release of the web wallet, served on `origin.wallet`; read and checked at the start.",
        )
    },
    Setting {
        default: Some("required in each"),
        ..in_file(
            "unit.unit",
            "currency code",
            "In each `[[unit]]`: what is counted, three lower-case letters.",
        )
    },
    Setting {
        default: Some("the unit's code"),
        ..in_file("unit.path", "string", "First part of the mint's URL: `a-z`, `0-9` and `-`.")
    },
    Setting {
        default: Some("`true` in demo mode, else `false`"),
        ..in_file(
            "unit.bolt11",
            "boolean",
            "Serve method `bolt11` as an alias of `bank`, for wallets that know no other.",
        )
    },
    in_file(
        "unit.input_fee_ppk",
        "integer",
        "Fee of the unit's first keyset, for each input in thousandths of the minor unit.",
    ),
    in_file(
        "unit.denominations",
        "integer",
        "Of the unit's first keyset: amounts of 2^0 to 2^(this - 1) minor units; 1 to 53.",
    ),
    in_file("unit.mint_min", "integer", "Least amount of a mint quote, in minor units."),
    in_file("unit.mint_max", "integer", "Largest amount of a mint quote."),
    in_file("unit.melt_min", "integer", "Least amount of a melt quote."),
    in_file("unit.melt_max", "integer", "Largest amount of a melt quote."),
    in_file(
        "unit.bank_account",
        "IBAN, or the bank's number",
        "The operator's account at the bank for this unit: statements of others are refused.",
    ),
    in_file(
        "unit.bank_entry_reference",
        "boolean",
        "Know bookings by `NtryRef`, too, where the bank gives nothing better: only if it never uses one again.",
    ),
    in_file(
        "unit.payout_alone_max",
        "integer",
        "Largest payout that goes out without two people's approval, in minor units.",
    ),
    Setting {
        default: Some("none: no limits"),
        ..in_file(
            "unit.limits_in",
            "pairs of integers",
            "What may come in by the bank and at agents, of a day and of a month in minor units, for people of level 0, then 1, 2, 3.",
        )
    },
    Setting {
        default: Some("none: no limits"),
        ..in_file(
            "unit.limits_out",
            "pairs of integers",
            "The same of what may go out by payouts and as cash.",
        )
    },
    in_file(
        "unit.fee_payout",
        "integer",
        "What a payout costs, in minor units, beside what is paid out.",
    ),
    Setting {
        default: Some("`[0, 0]`"),
        ..in_file(
            "unit.fee_cash_out",
            "pair of integers",
            "What cash at an agent costs: a fixed part in minor units, and hundredths of a percent of the amount, rounded down. \
             Beside the amount.",
        )
    },
    Setting {
        default: Some("`[0, 0]`"),
        ..in_file(
            "unit.fee_cash_in",
            "pair of integers",
            "The same for cash paid in at an agent; out of the amount, and never more than it.",
        )
    },
    Setting {
        default: Some("`[0, 0]`"),
        ..in_file(
            "unit.fee_sale",
            "pair of integers",
            "The same for a paid order, which the merchant pays out of the amount.",
        )
    },
    in_file(
        "unit.passport_unit",
        "integer",
        "Minor units that count as one in a passport. A month's income counts up to 510 of them, a bill up to 127.",
    ),
    Setting {
        in_file: false,
        default: Some(
            "none: then `TACITD_NEW_PASSPHRASE`, then the systemd credential `tacitd-new-passphrase`",
        ),
        ..anywhere(
            "new-passphrase",
            "--new-passphrase-file FILE",
            "TACITD_NEW_PASSPHRASE_FILE",
            "path",
            "For `tacitd seed passphrase` alone: file with the new passphrase.",
        )
    },
];

/// Default of the origins.
const ORIGIN: &str =
    "none; in demo mode `http://mint.localhost`, `desk.` and `wallet.`, with the port listened on";

const fn anywhere(
    name: &'static str,
    flag: &'static str,
    variable: &'static str,
    form: &'static str,
    purpose: &'static str,
) -> Setting {
    let (flag, variable) = (Some(flag), Some(variable));
    Setting { name, in_file: true, flag, variable, form, default: None, purpose }
}

const fn in_file(name: &'static str, form: &'static str, purpose: &'static str) -> Setting {
    Setting { name, in_file: true, flag: None, variable: None, form, default: None, purpose }
}

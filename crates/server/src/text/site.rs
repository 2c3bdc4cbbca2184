//! What stands around every page, and what script says.

super::texts! {
    /// What stands around every page.
    Site {
        name: "Tacit",
        skip: "Skip to the content",
        places: "Places",
        menu: "Menu",
        front: "Start",
        portal: "Your account",
        merchant: "Your shop",
        operator: "Operator",
        sign_out: "Sign out",
        signed_in_as: "Signed in as {name}",
        login_asked_title: "Somebody asked for a new way into this account",
        login_asked: "A code was made at the desk that leads in here and takes the place of your passkeys. {opens} If it was you who asked, \
                      there is nothing to do. If not, stop it.",
        login_asked_confirmed: "It is good once a second member of staff has confirmed it.",
        login_asked_at: "It is good from {moment} (UTC) on.",
        login_asked_now: "It is good now.",
        login_stop: "It was not me: stop it",
        demo: "A demonstration: the money is not real.",
        footer: "No scripts of others, nothing loaded from elsewhere, nothing counted.",
        about_mint: "About the mint",
        needs_script: "Passkeys need JavaScript, and it is switched off. Everything else works without it.",
        no_passkeys: "This browser has no passkeys. Try another, or another device.",
        passkey_waiting: "Waiting for your device …",
        passkey_given_up: "Nothing was signed. Try again when you are ready.",
        passkey_known: "This device has a passkey for this account already.",
        not_reached: "The desk could not be reached. Try again.",
    }
}

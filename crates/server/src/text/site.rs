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

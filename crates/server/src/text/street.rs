//! The street of a demonstration.

super::texts! {
    /// A shop, a biller and a lender that anybody may try.
    Street {
        title: "A street to try it on",
        lead: "A shop, a biller and a lender. They are played by this demonstration and use nothing but what every shop, biller and lender \
               of an operator would use. None of them learns who you are.",
        buy: "Buy",
        buy_named: "Buy {ware} for {price}",
        shop_lead: "Choose something. You pay at the checkout, with a wallet on this device or on a telephone.",
        passport_title: "A credit passport",
        passport_lead: "Your history of paying is kept in your wallet and nowhere else. It begins empty, and wants an account: take one here \
                        without a passkey, or open one in the portal.",
        passport_button: "Get a code for my wallet",
        passport_code: "With this code one wallet gets an empty passport. It counts for an hour, and once.",
        biller_title: "Water and power",
        biller_lead: "Become a customer of Mill Lane Water and Power: a bill each month, ten of them. Each that is paid in time counts for you.",
        biller_button: "Become a customer",
        biller_code: "This is your contract. Your wallet takes it on, finds its bills and pays them; the biller learns that they are paid.",
        lender_title: "A loan?",
        lender_lead: "Harbour Savings and Loans asks for three months of history and for the least score that it lends for. It is not shown yours.",
        lender_button: "Ask for a loan",
        open_wallet: "Open in the wallet",
        code_label: "Code for a wallet",
        code_text: "The same as text",
        command: "At a command line",
        back: "Back to the street",
        return_title: "Changed your mind?",
        return_lead: "The shop takes it back: the money comes back to the wallet that paid, without anybody knowing whose it is.",
        return_button: "Bring it back",
        street_title: "Try it as a customer",
        street: "Buy something in a shop, get a bill, ask for a loan: a street of make-believe neighbours.",
        street_link: "Go for a walk",
    }
}

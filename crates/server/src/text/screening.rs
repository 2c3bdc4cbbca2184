//! Screening, on the console.

super::texts! {
    /// Screening, on the console.
    Screening {
        menu: "Screening",
        menu_about: "People who are called like somebody on a list",
        title: "Screening",
        lead: "Whoever comes, and everybody after each import, is compared with these lists. A hit says that two names are alike and no more: \
               look at who it is, then clear it or freeze.",
        lists_title: "Lists",
        lists_none: "No list was imported, so nobody is screened. At the machine: tacitd screening import.",
        list: "List",
        list_names: "Names",
        list_imported: "Imported",
        hits_title: "Hits that wait",
        hits_none: "None.",
        person: "Person",
        listed: "On the list",
        alike: "Alike",
        found: "Found",
        decide: "Decide",
        clear: "Clear",
        freeze: "Freeze",
        done_cleared: "The hit is cleared. It comes back only if the list writes the name anew.",
        done_frozen: "The account is frozen.",
    }
}

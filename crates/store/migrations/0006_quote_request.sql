-- A quote is found by what its payer wrote, also when it has expired or is paid: money that comes late is for it all the same.

CREATE INDEX mint_quote_request ON mint_quote (request);

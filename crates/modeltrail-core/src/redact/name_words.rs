//! The words that names are made of. All lists are in lower case and sorted.

use super::lexicon::Words;

/// Before the last word: the name is about the thing, not the thing.
#[rustfmt::skip]
pub(super) static CANCELS: Words = Words::of(&[
    "allow", "can", "change", "check", "disable", "enable", "expire", "forgot", "has",
    "have", "hide", "invalid", "is", "max", "min", "missing", "no", "num", "require",
    "requires", "show", "use", "uses", "validate", "verify", "with", "without",
]);

/// Behind the last word that counts.
#[rustfmt::skip]
pub(super) static FILLERS: Words = Words::of(&[
    "base", "confirm", "confirmation", "decrypted", "encrypted", "header", "hex", "plain",
    "plaintext", "raw", "str", "string", "text", "val", "value",
]);

/// The same, for numbers.
#[rustfmt::skip]
pub(super) static NUMBER: Words = Words::of(&[
    "no", "nr", "num", "number", "numbers", "nummer",
]);

/// Members of something secret or of an address that are neither.
#[rustfmt::skip]
pub(super) static ASIDE: Words = Words::of(&[
    "active", "algorithm", "at", "code", "country", "created", "default", "enabled",
    "expires", "expiry", "format", "id", "kind", "label", "lang", "language", "lat",
    "latitude", "lng", "lon", "longitude", "method", "primary", "provider", "region",
    "role", "scheme", "scope", "source", "state", "status", "type", "updated", "uri", "url",
    "valid", "verified", "version",
]);

#[rustfmt::skip]
pub(super) static PASSWORDS: Words = Words::of(&[
    "adgangskode", "adminpassword", "contrasena", "dbpassword", "haslo", "heslo",
    "kennwort", "kodeord", "losenord", "lozinka", "motdepasse", "mysqlpassword", "parola",
    "passcode", "passe", "passord", "passphrase", "passwd", "password", "passwords",
    "passwort", "pgpassword", "psw", "pswd", "pw", "pwd", "rootpassword", "salasana",
    "senha", "sifre", "sshpass", "userpassword", "wachtwoord", "zugangspasswort",
]);

#[rustfmt::skip]
pub(super) static SIGNATURES: Words = Words::of(&[
    "sig", "signature",
]);

#[rustfmt::skip]
pub(super) static SECRETS: Words = Words::of(&[
    "appsecret", "clientsecret", "credential", "credentials", "creds", "secret", "secrets",
]);

#[rustfmt::skip]
pub(super) static API_KEYS: Words = Words::of(&[
    "accesskey", "accesstoken", "apikey", "apikeys", "apisecret", "apitoken", "authkey",
    "authtoken", "bearertoken", "bottoken", "clientkey", "privatekey", "refreshtoken",
    "secretkey", "sessiontoken", "subscriptionkey",
]);

/// Before "pass".
#[rustfmt::skip]
pub(super) static LOGINS: Words = Words::of(&[
    "admin", "database", "db", "ftp", "login", "mail", "mysql", "proxy", "root", "smtp",
    "user",
]);

/// Before "token": what models, pages and parsers have.
#[rustfmt::skip]
pub(super) static TOKENS_OTHER: Words = Words::of(&[
    "accepted", "bos", "cached", "cls", "completion", "continuation", "cursor", "decoded",
    "end", "eos", "eot", "first", "input", "last", "mask", "next", "output", "pad", "page",
    "pagination", "parent", "per", "prompt", "rejected", "sampled", "sep", "special",
    "start", "stop", "sync", "text", "top", "total", "unk", "word",
]);

/// Before "token": no value is anything else.
#[rustfmt::skip]
pub(super) static TOKENS_SURE: Words = Words::of(&[
    "access", "admin", "api", "app", "auth", "bearer", "bot", "deploy", "github", "gitlab",
    "hf", "jwt", "oauth", "personal", "private", "refresh", "sas", "secret", "security",
    "service", "session", "slack", "vault",
]);

/// Before "key": what tables, caches and queues have.
#[rustfmt::skip]
pub(super) static KEYS_OTHER: Words = Words::of(&[
    "bucket", "cache", "composite", "config", "dedup", "deduplication", "dict", "document",
    "event", "feature", "file", "flag", "foreign", "group", "hash", "i", "idempotency",
    "index", "item", "join", "json", "label", "locale", "lookup", "map", "member",
    "message", "metadata", "natural", "node", "object", "order", "parent", "partition",
    "path", "primary", "property", "pub", "public", "query", "range", "rate", "record",
    "registry", "routing", "row", "s", "search", "segment", "sequence", "shard", "sort",
    "state", "string", "template", "trace", "translation", "type", "unique",
]);

/// Before "key": no value is anything else.
#[rustfmt::skip]
pub(super) static KEYS_SURE: Words = Words::of(&[
    "access", "account", "admin", "api", "app", "application", "auth", "client", "consumer",
    "decryption", "deploy", "encryption", "hmac", "ingest", "ingestion", "license",
    "master", "secret", "service", "session", "shared", "signing", "ssh", "storage",
    "subscription", "webhook", "write",
]);

#[rustfmt::skip]
pub(super) static CODES_CARD: Words = Words::of(&[
    "cvc", "cvv", "security", "verification",
]);

#[rustfmt::skip]
pub(super) static CODES_SECRET: Words = Words::of(&[
    "auth", "mfa", "otp", "passcode", "pin", "sms", "tan",
]);

#[rustfmt::skip]
pub(super) static CODES_POSTAL: Words = Words::of(&[
    "post", "postal", "zip",
]);

#[rustfmt::skip]
pub(super) static BIRTH: Words = Words::of(&[
    "bday", "birthdate", "birthday", "born", "dateofbirth", "dob", "geboortedatum",
    "geburtsdatum", "naissance", "nascimento", "nascita",
]);

#[rustfmt::skip]
pub(super) static PASSPORTS: Words = Words::of(&[
    "pasaporte", "passaporto", "passeport", "passport", "passportid", "passportno",
    "passportnumber", "reisepass", "reisepassnummer",
]);

#[rustfmt::skip]
pub(super) static DRIVERS: Words = Words::of(&[
    "driver", "drivers", "driving",
]);

#[rustfmt::skip]
pub(super) static LICENSES: Words = Words::of(&[
    "dln", "driverlicence", "driverlicense", "driverslicence", "driverslicense",
    "drivinglicence", "drivinglicense", "fuehrerschein",
]);

#[rustfmt::skip]
pub(super) static ACCOUNTS: Words = Words::of(&[
    "accountnumber", "acctno", "bankaccount", "bankaccountnumber", "bban", "kontonr",
    "kontonummer",
]);

#[rustfmt::skip]
pub(super) static NAMES: Words = Words::of(&[
    "achternaam", "apellido", "apellidos", "cardholder", "cardholdername", "cognome",
    "customername", "familienname", "familyname", "firstname", "fname", "forename",
    "forenames", "fullname", "givenname", "lastname", "lname", "maidenname", "middlename",
    "nachname", "patientname", "prenom", "surname", "surnames", "voornaam", "vorname",
]);

/// Before "name".
#[rustfmt::skip]
pub(super) static NAME_OF: Words = Words::of(&[
    "applicant", "beneficiary", "birth", "borrower", "buyer", "candidate", "cardholder",
    "child", "client", "contact", "customer", "doctor", "driver", "employee", "family",
    "father", "first", "full", "given", "guest", "holder", "insured", "last", "legal",
    "maiden", "member", "middle", "mother", "nick", "owner", "passenger", "patient",
    "payee", "payer", "person", "physician", "policyholder", "preferred", "recipient",
    "seller", "sender", "signatory", "spouse", "student", "tenant", "traveler", "traveller",
]);

/// Objects whose "name" is a person's.
#[rustfmt::skip]
pub(super) static PEOPLE: Words = Words::of(&[
    "applicant", "beneficiary", "borrower", "candidate", "cardholder", "child", "contact",
    "customer", "doctor", "driver", "employee", "father", "guest", "holder", "insured",
    "mother", "passenger", "passengers", "patient", "patients", "payee", "payer", "people",
    "person", "persons", "physician", "recipient", "sender", "spouse", "student", "tenant",
    "traveler", "traveller",
]);

/// Before "address".
#[rustfmt::skip]
pub(super) static ADDRESS_OF: Words = Words::of(&[
    "billing", "correspondence", "current", "customer", "delivery", "home", "invoice",
    "mailing", "permanent", "postal", "residence", "residential", "shipping", "street",
    "work",
]);

#[rustfmt::skip]
pub(super) static STREETS: Words = Words::of(&[
    "addressline", "calle", "direccion", "hausnummer", "indirizzo", "strasse", "street",
    "streetaddress",
]);

#[rustfmt::skip]
pub(super) static POSTCODES: Words = Words::of(&[
    "plz", "postalcode", "postcode", "postleitzahl", "zip", "zipcode",
]);

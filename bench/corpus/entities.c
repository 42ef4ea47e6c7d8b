/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People, products and browsers: what the rows, the log lines and the index entries are about.
 *
 * Each is computed from its id. So a customer who appears in three corpora has one name and a
 * product has one price, and no table of them is kept. Popular values come first in each list and
 * are drawn by Zipf's law.
 */
#include <stdio.h>
#include <string.h>

#include "bench/corpus/generator.h"

static const char *const first_names[] = {
    "Maria",    "James",   "Anna",     "David",   "Laura",      "Thomas",  "Sarah",    "Michael",
    "Julia",    "Daniel",  "Emma",     "Peter",   "Sofia",      "Robert",  "Lena",     "Paul",
    "Elena",    "Martin",  "Olivia",   "Andreas", "Nina",       "Lucas",   "Claire",   "Mark",
    "Chiara",   "John",    "Ines",     "Stefan",  "Hannah",     "Carlos",  "Marta",    "Jan",
    "Amelie",   "Oscar",   "Freya",    "Simon",   "Yuki",       "Ahmed",   "Priya",    "Wei",
    "Fatima",   "Diego",   "Ingrid",   "Tomasz",  "Katarina",   "Ravi",    "Beatriz",  "Henrik",
    "Aisha",    "Mateo",   "Noor",     "Viktor",  "Camille",    "George",  "Zofia",    "Pavel",
    "Leila",    "Hugo",    "Eva",      "Bruno",   "Miriam",     "Kenji",   "Rosa",     "Felix",
    "Alice",    "Omar",    "Greta",    "Nikolai", "Teresa",     "Samuel",  "Linnea",   "Marco",
    "Dorothea", "Kwame",   "Ilse",     "Ricardo", "Anneke",     "Arthur",  "Svetlana", "Jorge",
    "Mei",      "Bastian", "Penelope", "Ibrahim", "Siobhan",    "Gustavo", "Astrid",   "Leopold",
    "Xenia",    "Thabo",   "Philippa", "Eduard",  "Marguerite", "Cosmin",  "Ottilie",  "Zoltan",
};

static const char *const last_names[] = {
    "Miller",   "Smith",     "Garcia",     "Mueller",  "Johnson",   "Rossi",     "Martin",
    "Silva",    "Schmidt",   "Brown",      "Dubois",   "Novak",     "Jones",     "Jansen",
    "Lopez",    "Nowak",     "Taylor",     "Larsen",   "Weber",     "Fernandez", "Wilson",
    "Bianchi",  "Petit",     "Santos",     "Fischer",  "Davies",    "Kowalski",  "Moreau",
    "Becker",   "Evans",     "Ferrari",    "Bakker",   "Nielsen",   "Walker",    "Costa",
    "Hoffmann", "Wright",    "Svensson",   "Romero",   "Laurent",   "Koch",      "Thompson",
    "Tanaka",   "Singh",     "Richter",    "Hughes",   "Conti",     "Visser",    "Hansen",
    "Edwards",  "Pereira",   "Klein",      "Wood",     "Johansson", "Navarro",   "Garnier",
    "Wolf",     "Harris",    "Suzuki",     "Patel",    "Neumann",   "Clarke",    "Greco",
    "De Vries", "Andersen",  "Turner",     "Oliveira", "Schwarz",   "Cooper",    "Lindqvist",
    "Molina",   "Chevalier", "Zimmermann", "Ward",     "Kim",       "Khan",      "Braun",
    "Murphy",   "Lombardi",  "Van Dijk",   "Karlsson", "Bennett",   "Carvalho",  "Hartmann",
    "O'Connor", "Horvat",    "Popescu",    "Yilmaz",   "Okafor",    "Nakamura",  "Lefebvre",
    "Winter",   "Haddad",    "Stewart",    "Kovacs",   "Gallagher", "Petrov",    "Papadakis",
};

/* Words of a place: one of its streets is drawn for a person. */
enum { CITY, COUNTRY, CURRENCY, LANGUAGE, CALLING_CODE, STREETS, PLACE_WORDS = STREETS + 4 };
static const char *const places[][PLACE_WORDS] = {
    {"Berlin", "DE", "EUR", "de-DE", "+49", "Hauptstr.", "Bahnhofstr.", "Gartenweg", "Lindenallee"},
    {"London", "GB", "GBP", "en-GB", "+44", "High Street", "Station Road", "Church Lane",
     "Park Row"},
    {"Paris", "FR", "EUR", "fr-FR", "+33", "Rue du Moulin", "Avenue Foch", "Rue Neuve", "Quai Sud"},
    {"New York", "US", "USD", "en-US", "+1", "Main St", "Oak Ave", "2nd St", "Maple Dr"},
    {"Madrid", "ES", "EUR", "es-ES", "+34", "Calle Mayor", "Calle Real", "Avenida Sol",
     "Paseo Norte"},
    {"Milano", "IT", "EUR", "it-IT", "+39", "Via Roma", "Via Verdi", "Corso Como", "Via Garibaldi"},
    {"Amsterdam", "NL", "EUR", "nl-NL", "+31", "Kerkstraat", "Dorpsstraat", "Molenweg", "Singel"},
    {"Warszawa", "PL", "PLN", "pl-PL", "+48", "ul. Polna", "ul. Lipowa", "ul. Krotka", "ul. Nowa"},
    {"Stockholm", "SE", "SEK", "sv-SE", "+46", "Storgatan", "Kungsgatan", "Skolgatan", "Bergsv."},
    {"Hamburg", "DE", "EUR", "de-DE", "+49", "Am Markt", "Schulstr.", "Hafenstr.", "Elbchaussee"},
    {"Chicago", "US", "USD", "en-US", "+1", "Lake St", "Cedar Ln", "Park Ave", "Pine St"},
    {"Lyon", "FR", "EUR", "fr-FR", "+33", "Rue Pasteur", "Place Carnot", "Cours Lafayette",
     "Rue Haute"},
    {"Manchester", "GB", "GBP", "en-GB", "+44", "Mill Road", "Victoria St", "Albert Rd",
     "The Green"},
    {"Wien", "AT", "EUR", "de-AT", "+43", "Ringstr.", "Kirchengasse", "Feldgasse", "Am Graben"},
    {"Lisboa", "PT", "EUR", "pt-PT", "+351", "Rua Direita", "Rua Nova", "Largo do Carmo",
     "Av. Central"},
    {"San Francisco", "US", "USD", "en-US", "+1", "Market St", "Mission St", "Hill St", "Bay Ave"},
    {"Copenhagen", "DK", "DKK", "da-DK", "+45", "Nygade", "Vestergade", "Skovvej", "Strandvej"},
    {"Praha", "CZ", "CZK", "cs-CZ", "+420", "Hlavni", "Dlouha", "Skolni", "Nadrazni"},
    {"Tokyo", "JP", "JPY", "ja-JP", "+81", "Chuo", "Minato", "Shibuya", "Meguro"},
    {"Toronto", "CA", "CAD", "en-CA", "+1", "King St W", "Queen St E", "Bloor St", "College St"},
    {"Zuerich", "CH", "CHF", "de-CH", "+41", "Seestr.", "Bergstr.", "Limmatweg", "Dorfplatz"},
    {"Austin", "US", "USD", "en-US", "+1", "Congress Ave", "River Rd", "6th St", "Elm St"},
    {"Dublin", "IE", "EUR", "en-IE", "+353", "Abbey St", "Harbour Rd", "Mount St", "Canal Walk"},
    {"Oslo", "NO", "NOK", "nb-NO", "+47", "Storgata", "Parkveien", "Kirkegata", "Fjordveien"},
};

static const char *const mail_domains[] = {
    "gmail.com",       "outlook.com", "yahoo.com",    "icloud.com",       "hotmail.com",
    "gmx.net",         "web.de",      "orange.fr",    "libero.it",        "proton.me",
    "btinternet.com",  "posteo.de",   "fastmail.com", "mail.example.org", "acme-corp.example",
    "uni.example.edu",
};

static const char *const browsers[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/%u.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_%u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.%u Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%u.0) Gecko/20100101 Firefox/%u.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (compatible; searchbot/2.%u; +https://crawler.example.com/about)",
    "okhttp/4.%u.0",
    "python-requests/2.%u.0",
    "ShopApp/%u.4.1 (Android 14; Pixel 7)",
    "curl/8.%u.0",
};

static const char *const adjectives[] = {
    "Classic", "Organic",    "Compact",  "Premium",   "Soft",       "Wireless",
    "Vintage", "Slim",       "Portable", "Natural",   "Heavy-Duty", "Small",
    "Large",   "Adjustable", "Folding",  "Insulated", "Ceramic",    "Stainless",
    "Bamboo",  "Cotton",     "Merino",   "Leather",   "Recycled",   "LED",
    "Silent",  "Waterproof", "Nordic",   "Rustic",    "Magnetic",   "Rechargeable",
};
static const char *const things[][8] = {
    {"T-Shirt", "Socks", "Hoodie", "Jacket", "Scarf", "Beanie", "Gloves", "Trousers"},
    {"Mug", "Frying Pan", "Kettle", "Cutting Board", "Storage Jar", "Knife Set", "Teapot", "Bowl"},
    {"Headphones", "USB-C Cable", "Power Bank", "Keyboard", "Mouse", "Desk Lamp", "Charger", "Hub"},
    {"Notebook", "Fountain Pen", "Planner", "Desk Pad", "Marker Set", "Folder", "Stapler", "Tape"},
    {"Backpack", "Tent", "Water Bottle", "Sleeping Bag", "Headlamp", "Cooler", "Rope",
     "Camp Stove"},
    {"Shampoo", "Hand Cream", "Soap Bar", "Toothbrush", "Face Mask", "Bath Salt", "Comb", "Balm"},
    {"Plant Pot", "Watering Can", "Hose", "Pruner", "Seed Mix", "Lantern", "Bench", "Rake"},
    {"Puzzle", "Board Game", "Building Set", "Plush Bear", "Kite", "Train Set", "Dice", "Yo-Yo"},
};
static const char *const categories[] = {"apparel", "kitchen", "electronics", "stationery",
                                         "outdoor", "beauty",  "garden",      "toys"};
static const char category_codes[] = "AKESOBGT";
static const char *const brands[] = {
    "Northfield", "Kiro",    "Halden & Co", "Lumea",        "Bergson", "Tavola",
    "Pinecrest",  "Orbis",   "Marlow",      "Quietline",    "Sunda",   "Ferrous",
    "Owlet",      "Vantage", "Brightside",  "Nomad Supply",
};
static const char *const colours[] = {"Black", "White", "Grey",  "Navy",  "Red",
                                      "Green", "Beige", "Olive", "Brown", "Yellow"};

static void seed_entity(struct corpus_rng *rng, uint64_t id, const char *label)
{
    corpus_rng_seed(rng, id * 2654435761u + 97, label);
}

/* Versions cluster around the newest. */
static void format_user_agent(char *out, size_t size, struct corpus_rng *rng)
{
    static const uint16_t weights[LENGTH(browsers)] = {300, 220, 180, 90, 70, 40,
                                                       35,  25,  15,  20, 5};
    const unsigned i = corpus_weighted(rng, weights, LENGTH(browsers));
    const unsigned back = corpus_zipf(rng, 8, 1);
    const unsigned version = i == 0 || i == 2 || i == 5 ? 121 - back
                             : i == 4                   ? 122 - back
                                                        : 9 - back;
    snprintf(out, size, browsers[i], version, version);
}

/* A fixed population: a site's visitors share a few hundred browsers. */
enum { N_USER_AGENTS = 160 };
struct user_agents {
    char text[N_USER_AGENTS][160];
};

const char *corpus_user_agent(struct corpus_rng *rng)
{
    static _Thread_local struct user_agents agents;
    const uint32_t i = corpus_zipf(rng, N_USER_AGENTS, 4);
    if (!agents.text[i][0]) {
        struct corpus_rng own;
        seed_entity(&own, i, "user agent");
        format_user_agent(agents.text[i], sizeof agents.text[i], &own);
    }
    return agents.text[i];
}

static void append_lower_ascii(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);
    for (; *text && n + 1 < size; text++) {
        if (*text >= 'A' && *text <= 'Z')
            out[n++] = (char)(*text + 32);
        else if (*text >= 'a' && *text <= 'z')
            out[n++] = *text;
    }
    out[n] = 0;
}

void corpus_person_of(struct corpus_person *p, uint64_t id)
{
    struct corpus_rng rng;
    seed_entity(&rng, id, "person");
    const char *const *place = places[corpus_zipf(&rng, LENGTH(places), 3)];
    p->first = first_names[corpus_zipf(&rng, LENGTH(first_names), 12)];
    p->last = last_names[corpus_zipf(&rng, LENGTH(last_names), 12)];
    p->city = place[CITY];
    p->country = place[COUNTRY];
    p->currency = place[CURRENCY];
    p->language = place[LANGUAGE];
    p->street = place[STREETS + corpus_below(&rng, 4)];
    p->street_number = 1 + corpus_zipf(&rng, 180, 20);
    p->domain = mail_domains[corpus_zipf(&rng, LENGTH(mail_domains), 1)];

    static const char *const separators[] = {".", "", "_", "."};
    p->email[0] = 0;
    append_lower_ascii(p->email, 20, p->first);
    if (corpus_chance(&rng, 25))
        p->email[1] = 0;
    strcat(p->email, separators[corpus_below(&rng, 4)]);
    append_lower_ascii(p->email, 40, p->last);
    const size_t n = strlen(p->email);
    if (corpus_chance(&rng, 55))
        snprintf(p->email + n, sizeof p->email - n, "%u@%s",
                 (unsigned)(corpus_chance(&rng, 50) ? corpus_between(&rng, 60, 99)
                                                    : corpus_between(&rng, 1, 999)),
                 p->domain);
    else
        snprintf(p->email + n, sizeof p->email - n, "@%s", p->domain);

    snprintf(p->phone, sizeof p->phone, "%s%09u", place[CALLING_CODE],
             (unsigned)corpus_below(&rng, 1000000000));
    snprintf(p->postcode, sizeof p->postcode, "%05u",
             (unsigned)(10000 + corpus_zipf(&rng, 400, 60) * 37 % 89999));
    /* Providers hold a few large ranges. */
    static const uint8_t networks[] = {84, 91, 78, 213, 62, 185, 93, 2, 176, 109, 31, 80};
    p->ip[0] = networks[corpus_zipf(&rng, LENGTH(networks), 2)];
    p->ip[1] = (uint8_t)(corpus_zipf(&rng, 24, 4) * 11);
    p->ip[2] = (uint8_t)corpus_below(&rng, 256);
    p->ip[3] = (uint8_t)corpus_below(&rng, 256);
    p->user_agent = corpus_user_agent(&rng);
}

void corpus_product_of(struct corpus_product *p, uint64_t id)
{
    struct corpus_rng rng;
    seed_entity(&rng, id, "product");
    const uint32_t c = corpus_zipf(&rng, LENGTH(things), 3);
    static const uint16_t endings[] = {99, 95, 90, 49, 0, 50};
    p->category = categories[c];
    p->brand = brands[corpus_zipf(&rng, LENGTH(brands), 3)];
    p->price_cents = 100 * (3 + corpus_zipf(&rng, 180, 12));
    p->price_cents += endings[corpus_zipf(&rng, 6, 1)];
    p->grams = 10 * (4 + corpus_zipf(&rng, 300, 8));
    const char *thing = things[c][corpus_below(&rng, 8)];
    const char *adjective = adjectives[corpus_zipf(&rng, LENGTH(adjectives), 8)];
    if (corpus_chance(&rng, 60))
        snprintf(p->title, sizeof p->title, "%s %s %s, %s", p->brand, adjective, thing,
                 colours[corpus_zipf(&rng, LENGTH(colours), 2)]);
    else
        snprintf(p->title, sizeof p->title, "%s %s %s", p->brand, adjective, thing);
    const char line = "XLMSR"[corpus_below(&rng, 5)];
    const char revision = "ABCD"[corpus_zipf(&rng, 4, 1)];
    snprintf(p->sku, sizeof p->sku, "%c%c-%05u-%c", category_codes[c], line,
             (unsigned)(id * 7919 % 100000), revision);
}

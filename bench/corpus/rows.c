/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as text: JSON documents of three collections, and the CSV lines of an order system.
 */
#include <stdlib.h>

#include "bench/corpus/generator.h"

struct rows {
    struct corpus_rng *rng;
    struct corpus_text key, value;
    uint64_t now_ms;
    uint64_t next_order, next_user;
};

/* Customers order again, recent ones more often. */
static uint64_t pick_customer(struct rows *r)
{
    return r->next_user - 1 - corpus_zipf(r->rng, 60000, 40);
}

static uint64_t pick_product(struct rows *r)
{
    return 1000 + corpus_zipf(r->rng, 4000, 12);
}

static const char *const order_states[] = {"delivered", "shipped",   "paid",
                                           "pending",   "cancelled", "returned"};
static const uint16_t order_state_weights[] = {62, 16, 9, 6, 5, 2};

static void json_order(struct rows *r)
{
    struct corpus_rng *rng = r->rng;
    struct corpus_text *v = &r->value;
    struct corpus_person who;
    static const char *const payments[] = {"card", "paypal", "invoice", "apple_pay",
                                           "bank_transfer"};
    static const uint16_t payment_weights[] = {50, 24, 12, 9, 5};
    static const char *const carriers[] = {"DHL", "UPS", "DPD", "GLS", "POST"};

    r->next_order += 1 + corpus_exponential(rng, 2);
    const uint64_t customer = pick_customer(r);
    corpus_person_of(&who, customer);
    text_printf(&r->key, "orders/%012llu", (unsigned long long)r->next_order);

    const unsigned state = corpus_weighted(rng, order_state_weights, LENGTH(order_state_weights));
    text_printf(v, "{\"id\":%llu,\"idempotency_key\":\"", (unsigned long long)r->next_order);
    if (corpus_chance(rng, 60))
        text_uuid(v, rng);
    text_str(v, "\",\"channel\":\"web\",\"created_at\":\"");
    text_iso_time(v, r->now_ms);
    text_str(v, "\",\"updated_at\":\"");
    text_iso_time(v, r->now_ms + 1000 + corpus_exponential(rng, 86400000));
    text_printf(
        v, "\",\"status\":\"%s\",\"customer\":{\"id\":%llu,\"name\":\"%s %s\",\"email\":\"%s\"",
        order_states[state], (unsigned long long)customer, who.first, who.last, who.email);
    text_printf(v, ",\"country\":\"%s\"},\"currency\":\"%s\",\"items\":[", who.country,
                who.currency);

    int64_t total = 0;
    const unsigned n_items = 1 + corpus_zipf(rng, 8, 1);
    for (unsigned i = 0; i < n_items; i++) {
        struct corpus_product product;
        corpus_product_of(&product, pick_product(r));
        const unsigned quantity = 1 + (corpus_chance(rng, 22) ? corpus_zipf(rng, 9, 1) : 0);
        total += (int64_t)product.price_cents * quantity;
        text_printf(v,
                    "%s{\"sku\":\"%s\",\"title\":\"%s\",\"category\":\"%s\",\"quantity\":%u,"
                    "\"discount\":0,\"unit_price\":",
                    i ? "," : "", product.sku, product.title, product.category, quantity);
        text_money(v, product.price_cents);
        text_char(v, '}');
    }
    const int64_t shipping = total > 5000 ? 0 : 495;
    text_printf(v, "],\"shipping\":{\"carrier\":\"%s\",\"street\":\"%s %u\",\"postcode\":\"%s\",",
                carriers[corpus_zipf(rng, 5, 1)], who.street, who.street_number, who.postcode);
    text_printf(v, "\"city\":\"%s\",\"cost\":", who.city);
    text_money(v, shipping);
    if (state <= 1)
        text_printf(
            v, ",\"tracking\":\"%016llu\"",
            (unsigned long long)(UINT64_C(3400000000000000) + corpus_below(rng, 1000000000000)));
    text_str(v, "},\"total\":");
    text_money(v, total + shipping);
    text_printf(v, ",\"payment\":{\"method\":\"%s\"",
                payments[corpus_weighted(rng, payment_weights, LENGTH(payment_weights))]);
    text_printf(v, ",\"captured\":%s,\"refunded\":false,\"error\":null},\"coupon\":",
                state != 3 ? "true" : "false");
    if (corpus_chance(rng, 12)) {
        text_printf(v, "\"%s", corpus_chance(rng, 60) ? "WELCOME" : "SPRING");
        text_printf(v, "%u\"", 5 * (1 + corpus_zipf(rng, 5, 1)));
    } else
        text_str(v, "null");
    text_printf(v, ",\"gift\":%s}", corpus_chance(rng, 6) ? "true" : "false");
}

/* Keys like MongoDB's ObjectId: seconds, a process's random number, a counter. */
static void json_user(struct rows *r)
{
    struct corpus_rng *rng = r->rng;
    struct corpus_text *v = &r->value;
    struct corpus_person who;
    static const char *const interests[] = {"outdoor", "kitchen", "music",  "running", "garden",
                                            "toys",    "books",   "travel", "beauty",  "home"};
    static const char *const sources[] = {"organic", "newsletter", "ads", "referral", "social"};

    const uint64_t id = r->next_user++;
    corpus_person_of(&who, id);
    text_printf(&r->key, "users/%08llx%s%06llx", (unsigned long long)(r->now_ms / 1000),
                corpus_chance(rng, 50) ? "5e91b3c07a" : "81d6f20c4e",
                (unsigned long long)(id * 3 % 0xffffff));
    text_printf(v, "{\"_id\":%llu,\"first_name\":\"%s\",\"last_name\":\"%s\",\"email\":\"%s\",",
                (unsigned long long)id, who.first, who.last, who.email);
    text_str(v, "\"password_hash\":\"$2b$12$");
    for (int i = 0; i < 53; i++)
        text_char(v,
                  "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[corpus_below(
                      rng, 64)]);
    text_printf(v, "\",\"phone\":\"%s\",\"address\":{\"street\":\"%s %u\",\"postcode\":\"%s\",",
                who.phone, who.street, who.street_number, who.postcode);
    text_printf(v, "\"city\":\"%s\",\"country\":\"%s\"},\"locale\":\"%s\",\"created_at\":\"",
                who.city, who.country, who.language);
    text_iso_time(v, r->now_ms);
    text_printf(v, "\",\"last_ip\":\"");
    text_ip(v, who.ip);
    text_printf(v, "\",\"source\":\"%s", sources[corpus_zipf(rng, 5, 1)]);
    text_printf(v, "\",\"newsletter\":%s", corpus_chance(rng, 41) ? "true" : "false");
    text_printf(v, ",\"verified\":%s,\"interests\":[", corpus_chance(rng, 88) ? "true" : "false");
    const unsigned n = corpus_zipf(rng, 5, 1);
    for (unsigned i = 0; i < n; i++)
        text_printf(v, "%s\"%s\"", i ? "," : "", interests[corpus_zipf(rng, LENGTH(interests), 3)]);
    text_printf(v, "],\"loyalty\":{\"tier\":\"%s",
                corpus_chance(rng, 80)   ? "basic"
                : corpus_chance(rng, 75) ? "silver"
                                         : "gold");
    text_printf(v, "\",\"points\":%u", corpus_zipf(rng, 4000, 30) * 5);
    text_printf(v, "},\"deleted_at\":null,\"version\":%u}", 1 + corpus_zipf(rng, 12, 1));
}

static void json_event(struct rows *r)
{
    struct corpus_rng *rng = r->rng;
    struct corpus_text *v = &r->value;
    struct corpus_person who;
    struct corpus_product product;
    static const char *const types[] = {"page_view", "product_view", "search",   "add_to_cart",
                                        "login",     "checkout",     "purchase", "logout"};
    static const uint16_t type_weights[] = {420, 280, 90, 85, 50, 35, 25, 15};
    static const char *const referrers[] = {
        "null",
        "\"https://www.google.com/\"",
        "\"https://www.shop.example/\"",
        "\"https://www.shop.example/sale?utm_source=newsletter&utm_medium=email\"",
        "\"https://m.facebook.com/\"",
        "\"https://duckduckgo.com/\""};
    static const char *const queries[] = {"lamp",   "mug",        "usb c cable",  "gift",
                                          "socks",  "backpack",   "planner 2024", "tent 2 person",
                                          "merino", "puzzle 1000"};

    const uint64_t customer = pick_customer(r);
    corpus_person_of(&who, customer);
    corpus_product_of(&product, pick_product(r));
    const unsigned type = corpus_weighted(rng, type_weights, LENGTH(type_weights));

    text_str(&r->key, "events/");
    text_iso_date(&r->key, r->now_ms);
    text_printf(&r->key, "/%08u/", (unsigned)(r->now_ms % 86400000));
    text_hex(&r->key, rng, 8);

    text_printf(v, "{\"type\":\"%s\",\"ts\":%llu,\"session\":\"", types[type],
                (unsigned long long)r->now_ms);
    text_hex(v, rng, 16);
    text_str(v, "\",\"user_id\":");
    if (corpus_chance(rng, 35))
        text_str(v, "null");
    else
        text_printf(v, "%llu", (unsigned long long)customer);
    text_str(v, ",\"ip\":\"");
    text_ip(v, who.ip);
    text_printf(v, "\",\"user_agent\":\"%s\",\"url\":\"https://www.shop.example/%.2s/",
                who.user_agent, who.language);
    if (type == 2) {
        text_printf(v, "search\",\"referrer\":%s",
                    referrers[corpus_zipf(rng, LENGTH(referrers), 1)]);
        text_printf(v, ",\"props\":{\"query\":\"%s", queries[corpus_zipf(rng, LENGTH(queries), 3)]);
        text_printf(v, "\",\"results\":%u}", corpus_zipf(rng, 300, 10));
    } else if (type == 1 || type == 3)
        text_printf(v, "%s/%s\",\"referrer\":%s,\"props\":{\"sku\":\"%s\",\"price\":%u}",
                    product.category, product.sku,
                    referrers[corpus_zipf(rng, LENGTH(referrers), 1)], product.sku,
                    product.price_cents);
    else
        text_printf(v, "%s\",\"referrer\":%s,\"props\":{}",
                    type == 0 ? product.category : types[type],
                    referrers[corpus_zipf(rng, LENGTH(referrers), 1)]);
    text_printf(v, ",\"viewport\":[%u",
                corpus_chance(rng, 50) ? 390 : 1280 + 160 * corpus_zipf(rng, 5, 1));
    text_printf(v, ",%u", 600 + corpus_zipf(rng, 60, 10) * 12);
    text_printf(v, "],\"duration_ms\":%llu}", (unsigned long long)corpus_exponential(rng, 5200));
}

bool corpus_json(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct rows *r = malloc(sizeof *r);
    if (!r)
        return false;
    r->rng = rng;
    r->now_ms = CORPUS_EPOCH_MS;
    r->next_order = 41870000;
    r->next_user = 700000;
    static const uint16_t mix[] = {48, 20, 32};
    while (corpus_wants_more(w)) {
        r->now_ms += corpus_exponential(rng, 2300);
        text_clear(&r->key);
        text_clear(&r->value);
        switch (corpus_weighted(rng, mix, LENGTH(mix))) {
        case 0:
            json_order(r);
            break;
        case 1:
            json_user(r);
            break;
        default:
            json_event(r);
            break;
        }
        corpus_put(w, &r->key, &r->value);
    }
    free(r);
    return true;
}

/* One order of a few lines: the columns of an order line joined with its order. */
static void csv_order(struct rows *r, struct corpus_writer *w)
{
    struct corpus_rng *rng = r->rng;
    struct corpus_text *v = &r->value;
    struct corpus_person who;
    static const char *const warehouses[] = {"HAM-1", "MIL-2", "LDN-1", "WAW-3", "CHI-1"};
    static const char *const modes[] = {"STANDARD", "EXPRESS", "PICKUP", "FREIGHT"};
    static const uint16_t mode_weights[] = {78, 14, 6, 2};
    static const char *const comments[] = {
        "leave at door",     "gift wrap",       "call before delivery", "fragile",
        "neighbour accepts", "invoice by mail", "partial delivery ok",  "ring twice"};
    static const uint16_t taxes[] = {19, 7, 20, 0};

    r->next_order += 1 + corpus_exponential(rng, 1);
    const uint64_t customer = pick_customer(r);
    corpus_person_of(&who, customer);
    const unsigned state = corpus_weighted(rng, order_state_weights, LENGTH(order_state_weights));
    const char *warehouse = warehouses[corpus_zipf(rng, LENGTH(warehouses), 1)];
    const char *mode = modes[corpus_weighted(rng, mode_weights, LENGTH(mode_weights))];
    const unsigned n_lines = 1 + corpus_zipf(rng, 9, 2);
    for (unsigned line = 1; line <= n_lines; line++) {
        struct corpus_product product;
        const uint64_t product_id = pick_product(r);
        corpus_product_of(&product, product_id);
        const unsigned quantity = 1 + (corpus_chance(rng, 40) ? corpus_zipf(rng, 48, 2) : 0);
        const unsigned discount = corpus_chance(rng, 18) ? 5 * (1 + corpus_zipf(rng, 6, 1)) : 0;
        const int64_t net = (int64_t)product.price_cents * quantity * (100 - discount) / 100;
        text_clear(&r->key);
        text_clear(v);
        text_printf(&r->key, "ol/%010llu/%02u", (unsigned long long)r->next_order, line);
        text_printf(v, "%llu,%u,", (unsigned long long)r->next_order, line);
        text_sql_time(v, r->now_ms);
        text_printf(v, ",C%07llu,%s,%llu,%s,\"%s\",%u,", (unsigned long long)customer, who.country,
                    (unsigned long long)product_id, product.sku, product.title, quantity);
        text_money(v, product.price_cents);
        text_printf(v, ",%u,", discount);
        text_money(v, net);
        const unsigned tax = taxes[corpus_zipf(rng, LENGTH(taxes), 1)];
        text_printf(v, ",%u,", tax);
        text_money(v, net * (100 + tax) / 100);
        text_printf(v, ",%s,%s,%s,%s,%u,", who.currency, warehouse, mode, order_states[state],
                    product.grams * quantity);
        if (state <= 1)
            text_iso_date(v, r->now_ms + 86400000 * (1 + corpus_zipf(rng, 7, 1)));
        text_char(v, ',');
        if (corpus_chance(rng, 9))
            text_str(v, comments[corpus_zipf(rng, LENGTH(comments), 2)]);
        corpus_put(w, &r->key, v);
    }
}

bool corpus_csv(struct corpus_rng *rng, struct corpus_writer *w)
{
    struct rows *r = malloc(sizeof *r);
    if (!r)
        return false;
    r->rng = rng;
    r->now_ms = CORPUS_EPOCH_MS;
    r->next_order = 90311000;
    r->next_user = 400000;
    while (corpus_wants_more(w)) {
        r->now_ms += corpus_exponential(rng, 8100);
        r->next_user += corpus_chance(rng, 30);
        csv_order(r, w);
    }
    free(r);
    return true;
}

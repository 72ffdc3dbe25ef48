//! The control API of the ramp: what payers, banks, outside systems and the provider do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post, put};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::accounts::{USUAL_USER, User};
use super::events::WebhookUrls;
use super::gateway::ReturnUrls;
use super::{Ramp, RampDiscount, RampInvoice, RampSandbox, wire};
use crate::SandboxError;
use crate::control::{Route, changed, done, no_such_action, with_body};
use crate::webhook::check_url;

/// The routes as the help lists them.
pub(crate) const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/state", about: "All objects of the ramp", example: "" },
    Route {
        method: "PUT",
        path: "/webhook",
        about: "Where webhooks go, those with a URL for their shape elsewhere (null: nowhere)",
        example: r#"{"url":"http://127.0.0.1:8080/webhooks/ramp"}"#,
    },
    Route {
        method: "PUT",
        path: "/returns",
        about: "Where checkouts lead to that name no URL of their own",
        example: r#"{"success":"http://127.0.0.1:8080/paid","failure":"http://127.0.0.1:8080/unpaid"}"#,
    },
    Route { method: "GET", path: "/settings", about: "The settings", example: "" },
    Route {
        method: "PUT",
        path: "/settings",
        about: "Changes the settings that are named",
        example: r#"{"session":"hosted_page","dates":"seconds","settle_seconds":60}"#,
    },
    Route {
        method: "POST",
        path: "/users",
        about: "Registers an end user, or changes a password",
        example: r#"{"email":"carl@example.com","password":"secret"}"#,
    },
    Route {
        method: "POST",
        path: "/tokens",
        about: "Gives a user a fresh access token, the usual user if none is named",
        example: "{}",
    },
    Route { method: "POST", path: "/tokens/expire", about: "Ends all access tokens", example: "" },
    Route {
        method: "POST",
        path: "/currencies",
        about: "Makes a currency known, with its digits after the point",
        example: r#"{"code":"XAU","decimals":4}"#,
    },
    Route {
        method: "POST",
        path: "/accounts",
        about: "Opens an account of a user, the usual user if none is named",
        example: r#"{"currency":"USD","balance":"100.00"}"#,
    },
    Route {
        method: "POST",
        path: "/accounts/{id}/funds",
        about: "Puts money into an account",
        example: r#"{"amount":"50"}"#,
    },
    Route {
        method: "POST",
        path: "/discounts",
        about: "Registers a discount code: percent, or fixed with amount and currency",
        example: r#"{"code":"SUMMER","discount":{"percent":"15"}}"#,
    },
    Route {
        method: "POST",
        path: "/invoices",
        about: "Makes an invoice; also takes user, client_id and description",
        example: r#"{"amount":"10.50","currency":"USD"}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/expire",
        about: "The time of an invoice is over",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/pay",
        about: "The payer of a checkout approves; answers with where the browser goes",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/decline",
        about: "The payer's bank declines",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/leave",
        about: "The payer goes back to the shop with nothing decided",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/settle-external",
        about: "An outside system has settled an external payment",
        example: r#"{"external_data":"BANK-2024-000123"}"#,
    },
    Route {
        method: "POST",
        path: "/payments/{id}/fail-external",
        about: "An outside system has refused an external payment",
        example: r#"{"external_data":"declined by partner"}"#,
    },
    Route {
        method: "POST",
        path: "/payments/{id}/settle",
        about: "A payment under way succeeds",
        example: "",
    },
    Route { method: "POST", path: "/payments/{id}/fail", about: "A payment fails", example: "" },
    Route {
        method: "POST",
        path: "/payments/{id}/cancel",
        about: "A payment is called off",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/expire",
        about: "The time of a payment is over",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/refund",
        about: "Gives money back: an amount, or all that is left",
        example: r#"{"amount":"1"}"#,
    },
];

type Shop = Shared<RampSandbox>;

pub(crate) fn routes(ramp: Arc<Ramp>) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/webhook", put(webhook))
        .route("/returns", put(returns))
        .route("/settings", get(settings).put(change_settings))
        .route("/users", post(user))
        .route("/tokens", post(token))
        .route("/tokens/expire", post(expire_tokens))
        .route("/currencies", post(currency))
        .route("/accounts", post(account))
        .route("/accounts/{id}/funds", post(funds))
        .route("/discounts", post(discount))
        .route("/invoices", post(invoice))
        .route("/invoices/{id}/expire", post(expire_invoice))
        .route("/payments/{id}/{action}", post(payment))
        .with_state(RampSandbox { inner: ramp })
}

async fn state(Shared(shop): Shop) -> Response {
    done(Ok(shop.snapshot()))
}

async fn webhook(Shared(shop): Shop, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Webhook {
        url: Option<Url>,
        platform: Option<Url>,
        external: Option<Url>,
    }
    with_body(&body, |webhook: Webhook| {
        // All are looked at before any is set.
        let urls = [&webhook.url, &webhook.platform, &webhook.external];
        urls.into_iter().flatten().try_for_each(check_url)?;
        shop.set_webhook_urls(webhook.platform, webhook.external)?;
        shop.set_webhook_url(webhook.url)?;
        let WebhookUrls { platform, external } =
            shop.inner.with_state(|state, _| state.webhook_urls.clone());
        let url = shop.inner.webhooks.url();
        Ok(json!({"url": url, "platform": platform, "external": external}))
    })
}

async fn returns(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |urls: ReturnUrls| {
        shop.set_return_urls(urls.success.clone(), urls.failure.clone())?;
        Ok(json!(urls))
    })
}

async fn settings(Shared(shop): Shop) -> Response {
    done(Ok(json!(shop.settings())))
}

async fn change_settings(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |changes: Map<String, Value>| {
        let settings = changed(&shop.settings(), changes)?;
        shop.set_settings(settings.clone())?;
        Ok(json!(settings))
    })
}

async fn user(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |user: User| Ok(json!({"id": shop.add_user(&user.email, &user.password)?})))
}

fn usual_user() -> String {
    USUAL_USER.to_owned()
}

async fn token(Shared(shop): Shop, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whose {
        #[serde(default = "usual_user")]
        user: String,
    }
    with_body(&body, |whose: Whose| Ok(json!({"access_token": shop.sign_in(&whose.user)?})))
}

async fn expire_tokens(Shared(shop): Shop) -> Response {
    shop.expire_tokens();
    done(Ok(json!({})))
}

async fn currency(Shared(shop): Shop, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Currency {
        code: String,
        decimals: u8,
    }
    with_body(&body, |it: Currency| {
        shop.add_currency(&it.code, it.decimals)?;
        Ok(json!({}))
    })
}

async fn account(Shared(shop): Shop, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Account {
        #[serde(default = "usual_user")]
        user: String,
        currency: String,
        balance: String,
    }
    with_body(&body, |it: Account| {
        Ok(json!({"id": shop.add_account(&it.user, &it.currency, &it.balance)?}))
    })
}

async fn funds(Shared(shop): Shop, Path(id): Path<String>, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Funds {
        amount: String,
    }
    with_body(&body, |funds: Funds| {
        shop.add_funds(&id, &funds.amount)?;
        Ok(json!({"balance": shop.balance(&id)}))
    })
}

async fn discount(Shared(shop): Shop, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Discount {
        code: String,
        discount: RampDiscount,
    }
    with_body(&body, |it: Discount| {
        shop.add_discount(&it.code, it.discount)?;
        Ok(json!({}))
    })
}

async fn invoice(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |invoice: RampInvoice| Ok(json!({"id": shop.add_invoice_with(invoice)?})))
}

async fn expire_invoice(Shared(shop): Shop, Path(id): Path<String>) -> Response {
    done(shop.expire_invoice(&id).map(|()| json!({})))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Told {
    external_data: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Refund {
    amount: Option<String>,
}

async fn payment(
    Shared(shop): Shop,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let id = id.as_str();
    let shown = |acted: Result<(), SandboxError>| {
        acted?;
        Ok(shop.inner.with_state(|state, _| {
            json!(state.payments.get(id).map(|payment| wire::payment(state, payment)))
        }))
    };
    let went = |acted: Result<Option<String>, SandboxError>| {
        let location = acted?;
        Ok(json!({"payment": shown(Ok(()))?, "location": location}))
    };
    match action.as_str() {
        "pay" => done(went(shop.pay_checkout(id))),
        "decline" => done(went(shop.decline_checkout(id))),
        "leave" => done(went(shop.leave_checkout(id))),
        "settle-external" => with_body(&body, |told: Told| {
            shown(shop.settle_external(id, told.external_data.as_deref()))
        }),
        "fail-external" => with_body(&body, |told: Told| {
            shown(shop.fail_external(id, told.external_data.as_deref()))
        }),
        "settle" => done(shown(shop.settle(id))),
        "fail" => done(shown(shop.fail(id))),
        "cancel" => done(shown(shop.cancel(id))),
        "expire" => done(shown(shop.expire(id))),
        "refund" => with_body(&body, |it: Refund| shown(shop.refund(id, it.amount.as_deref()))),
        _ => no_such_action(),
    }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page.h"
#include "button.h"
#include "details.h"
#include "failure_card.h"
#include "model/words.h"
#include "secrets_form.h"
#include "stages.h"

struct _L2dPage {
    AdwBin parent;
    L2dProfile *profile;
    gulong profile_changed;
    L2dTunnel *watched; /* while the page is on the screen */
    GdkSurface *surface;
    GtkWidget *nothing, *scroll;
    GtkImage *icon;
    GtkLabel *state, *where;
    GtkButton *button;
    GtkBox *parts;
    L2dSecretsForm *form;
    L2dFailureCard *failure;
    L2dStages *stages;
    L2dDetails *details; /* NULL before something was up */
    const char *style;
    L2dState shown;
};

G_DEFINE_TYPE(L2dPage, l2d_page, ADW_TYPE_BIN)

static guint changed_signal;

/* A request waits with its profile until the user looks at it. */
#define REQUEST_KEY "l2d-request"

static L2dSecretRequest *request_of(L2dProfile *profile)
{
    L2dSecretRequest *r = g_object_get_data(G_OBJECT(profile), REQUEST_KEY);

    return r && l2d_secret_request_is_open(r) ? r : NULL;
}

/* Nothing is asked of a tunnel that nobody can see: the page is hidden, or the window is minimised.
 */
static void watch(L2dPage *self)
{
    L2dTunnel *t = self->profile ? l2d_profile_get_tunnel(self->profile) : NULL;
    gboolean seen =
        gtk_widget_get_mapped(GTK_WIDGET(self)) &&
        !(self->surface && GDK_IS_TOPLEVEL(self->surface) &&
          (gdk_toplevel_get_state(GDK_TOPLEVEL(self->surface)) & GDK_TOPLEVEL_STATE_MINIMIZED));

    if (!seen || !t || !l2d_profile_is_wanted(self->profile))
        t = NULL;
    if (t == self->watched)
        return;
    if (self->watched)
        l2d_tunnel_unwatch(self->watched);
    g_set_object(&self->watched, t);
    if (t)
        l2d_tunnel_watch(t);
}

static void show_hero(L2dPage *self, L2dState s)
{
    const char *style = l2d_words_state_style(s);
    const char *user = l2d_profile_get_user(self->profile);
    L2dTunnel *t = l2d_profile_get_tunnel(self->profile);
    gint64 age = t ? l2d_tunnel_get_age(t) : -1;
    g_autofree char *duration = age >= 0 ? l2d_words_duration(age) : NULL;
    g_autofree char *where = NULL;

    if (self->style != style) {
        if (self->style) {
            gtk_widget_remove_css_class(GTK_WIDGET(self->icon), self->style);
            gtk_widget_remove_css_class(GTK_WIDGET(self->state), self->style);
        }
        gtk_widget_add_css_class(GTK_WIDGET(self->icon), style);
        gtk_widget_add_css_class(GTK_WIDGET(self->state), style);
        self->style = style;
    }
    gtk_image_set_from_icon_name(self->icon, l2d_words_state_icon(s));
    gtk_label_set_label(self->state, l2d_words_state(s));
    where = g_strjoin(" · ", l2d_profile_get_server(self->profile),
                      *user      ? user
                      : duration ? duration
                                 : NULL,
                      *user ? duration : NULL, NULL);
    gtk_label_set_label(self->where, where);
}

static void show_button(L2dPage *self, L2dState s)
{
    const char *label = _("_Connect");
    gboolean suggested = FALSE;

    if (s == L2D_STATE_DIALING || s == L2D_STATE_RECONNECTING)
        label = _("_Cancel");
    else if (s == L2D_STATE_UP)
        label = _("_Disconnect");
    else if (s == L2D_STATE_FAILED)
        label = _("_Try Again");
    suggested = !l2d_profile_is_wanted(self->profile);
    if (g_strcmp0(gtk_button_get_label(self->button), label) != 0)
        l2d_button_set_label(self->button, label);
    if (suggested)
        gtk_widget_add_css_class(GTK_WIDGET(self->button), "suggested-action");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->button), "suggested-action");
    gtk_widget_set_sensitive(GTK_WIDGET(self->button), s != L2D_STATE_CLOSING);
    gtk_widget_set_visible(GTK_WIDGET(self->button),
                           l2d_profile_is_stored(self->profile) || s == L2D_STATE_UP);
}

static void show_details(L2dPage *self, L2dSnapshot *snapshot, gboolean visible)
{
    if (visible && !self->details) {
        self->details = L2D_DETAILS(l2d_details_new());
        gtk_box_append(self->parts, GTK_WIDGET(self->details));
    }
    if (!self->details)
        return;
    gtk_widget_set_visible(GTK_WIDGET(self->details), visible);
    if (visible)
        l2d_details_show(self->details, l2d_profile_get_tunnel(self->profile), snapshot);
}

static void show(L2dPage *self)
{
    L2dTunnel *t = l2d_profile_get_tunnel(self->profile);
    L2dSnapshot *snapshot = t ? l2d_tunnel_get_snapshot(t) : NULL;
    L2dState s = l2d_profile_get_state(self->profile);
    L2dSecretRequest *request = request_of(self->profile);
    const L2dFailure *failure = snapshot ? l2d_snapshot_get_failure(snapshot) : NULL;
    gboolean climbing = s == L2D_STATE_DIALING || (s == L2D_STATE_FAILED && failure);

    watch(self);
    show_hero(self, s);
    show_button(self, s);
    l2d_secrets_form_set_request(self->form, request);
    gtk_widget_set_visible(GTK_WIDGET(self->form), request != NULL);
    gtk_widget_set_visible(GTK_WIDGET(self->failure), failure && !request);
    if (failure)
        l2d_failure_card_show(self->failure, failure);
    gtk_widget_set_visible(GTK_WIDGET(self->stages), climbing);
    if (climbing && snapshot)
        l2d_stages_show(self->stages, snapshot);
    show_details(self, snapshot, s == L2D_STATE_UP || s == L2D_STATE_RECONNECTING);
    if (s != self->shown) {
        self->shown = s;
        g_signal_emit(self, changed_signal, 0);
    }
}

void l2d_page_set_profile(L2dPage *self, L2dProfile *profile)
{
    if (profile == self->profile && profile)
        return;
    g_clear_signal_handler(&self->profile_changed, self->profile);
    g_set_object(&self->profile, profile);
    gtk_widget_set_visible(self->scroll, profile != NULL);
    gtk_widget_set_visible(self->nothing, profile == NULL);
    if (profile) {
        self->profile_changed =
            g_signal_connect_swapped(profile, "changed", G_CALLBACK(show), self);
        show(self);
    } else {
        watch(self);
        l2d_secrets_form_set_request(self->form, NULL);
    }
    g_signal_emit(self, changed_signal, 0);
}

L2dProfile *l2d_page_get_profile(L2dPage *self)
{
    return self->profile;
}

static void on_answered(L2dPage *self)
{
    if (self->profile)
        show(self);
}

void l2d_page_ask(L2dPage *self, L2dProfile *profile, L2dSecretRequest *request)
{
    g_object_set_data_full(G_OBJECT(profile), REQUEST_KEY, g_object_ref(request), g_object_unref);
    g_signal_connect_object(request, "answered", G_CALLBACK(on_answered), self,
                            G_CONNECT_SWAPPED | G_CONNECT_AFTER);
    if (profile == self->profile)
        show(self);
}

static void on_state(L2dPage *self)
{
    watch(self);
}

static void l2d_page_realize(GtkWidget *widget)
{
    L2dPage *self = L2D_PAGE(widget);

    GTK_WIDGET_CLASS(l2d_page_parent_class)->realize(widget);
    self->surface = gtk_native_get_surface(gtk_widget_get_native(widget));
    g_signal_connect_swapped(self->surface, "notify::state", G_CALLBACK(on_state), self);
}

static void l2d_page_unrealize(GtkWidget *widget)
{
    L2dPage *self = L2D_PAGE(widget);

    g_signal_handlers_disconnect_by_data(self->surface, self);
    self->surface = NULL;
    GTK_WIDGET_CLASS(l2d_page_parent_class)->unrealize(widget);
}

static void l2d_page_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(l2d_page_parent_class)->map(widget);
    watch(L2D_PAGE(widget));
}

static void l2d_page_unmap(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(l2d_page_parent_class)->unmap(widget);
    watch(L2D_PAGE(widget));
}

static void l2d_page_dispose(GObject *object)
{
    L2dPage *self = L2D_PAGE(object);

    g_clear_signal_handler(&self->profile_changed, self->profile);
    if (self->watched)
        l2d_tunnel_unwatch(self->watched);
    g_clear_object(&self->watched);
    g_clear_object(&self->profile);
    G_OBJECT_CLASS(l2d_page_parent_class)->dispose(object);
}

static void l2d_page_class_init(L2dPageClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = l2d_page_dispose;
    w->realize = l2d_page_realize;
    w->unrealize = l2d_page_unrealize;
    w->map = l2d_page_map;
    w->unmap = l2d_page_unmap;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(w, "/net/l2tpc/Dialer/page.ui");
    gtk_widget_class_bind_template_child(w, L2dPage, nothing);
    gtk_widget_class_bind_template_child(w, L2dPage, scroll);
    gtk_widget_class_bind_template_child(w, L2dPage, icon);
    gtk_widget_class_bind_template_child(w, L2dPage, state);
    gtk_widget_class_bind_template_child(w, L2dPage, where);
    gtk_widget_class_bind_template_child(w, L2dPage, button);
    gtk_widget_class_bind_template_child(w, L2dPage, parts);
}

static void l2d_page_init(L2dPage *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    self->form = L2D_SECRETS_FORM(l2d_secrets_form_new());
    self->failure = L2D_FAILURE_CARD(l2d_failure_card_new());
    self->stages = L2D_STAGES(l2d_stages_new());
    gtk_box_append(self->parts, GTK_WIDGET(self->form));
    gtk_box_append(self->parts, GTK_WIDGET(self->failure));
    gtk_box_append(self->parts, GTK_WIDGET(self->stages));
}

GtkWidget *l2d_page_new(void)
{
    return g_object_new(L2D_TYPE_PAGE, NULL);
}

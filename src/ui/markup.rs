//! `view!` makes a view's elements. It reads what Yew's `html!` reads, but what `html!` writes out for each element is
//! compiled here, and once: an element becomes a few calls, which makes the page much smaller.
//!
//! ```text
//! view! {
//!     <button type="button" data-look={look} onclick={ui.acts(Action::Escape)}>
//!         if private { { icon(LOCK) } } else { { "Open" } }
//!     </button>
//! }
//! ```
//!
//! Components are values in braces, which `html!` makes. An attribute without braces is constant, one that is `None` is
//! left out, and a class is constant. What `for` adds is a list of its own, because Yew compares children by their keys only
//! if all of a list have one, and otherwise makes all of them anew when one comes.

use std::rc::Rc;

use web_sys::Event;
use yew::prelude::*;
use yew::virtual_dom::{
    AttributeOrProperty, Attributes, Key, Listener, ListenerKind, VList, VTag, VText,
};

/// What does not change about an element.
pub struct Fixed {
    pub tag: &'static str,
    /// The names of all attributes. Those whose values can change come last.
    pub names: &'static [&'static str],
    /// The values of the first attributes.
    pub values: &'static [&'static str],
}

/// Elements that are being made.
#[derive(Default)]
pub struct Markup {
    nodes: Vec<Html>,
    /// The elements that are open, the innermost one last.
    open: Vec<Open>,
}

/// An element that is open.
struct Open {
    /// Nothing for a list.
    tag: Option<VTag>,
    /// The number of nodes before its children.
    before: usize,
    values: Vec<Option<AttributeOrProperty>>,
    names: &'static [&'static str],
    listeners: Vec<Option<Rc<dyn Listener>>>,
}

impl Markup {
    /// Begins an element.
    pub fn open(&mut self, fixed: &'static Fixed) {
        self.open_as(fixed.tag, fixed);
    }

    /// Begins an element whose name is not constant.
    #[inline(never)]
    pub fn open_as(&mut self, tag: &'static str, fixed: &'static Fixed) {
        let values = fixed.values.iter();
        self.begin(Open {
            tag: Some(VTag::new(tag)),
            before: self.nodes.len(),
            values: values
                .map(|value| Some(AttributeOrProperty::Static(value)))
                .collect(),
            names: fixed.names,
            listeners: Vec::new(),
        });
    }

    /// Begins a list, which becomes one node.
    #[inline(never)]
    pub fn open_list(&mut self) {
        self.begin(Open {
            tag: None,
            before: self.nodes.len(),
            values: Vec::new(),
            names: &[],
            listeners: Vec::new(),
        });
    }

    fn begin(&mut self, open: Open) {
        self.open.push(open);
    }

    fn innermost(&mut self) -> Option<&mut VTag> {
        self.open.last_mut()?.tag.as_mut()
    }

    /// Sets the next of the attributes that are not constant.
    #[inline(never)]
    pub fn set(&mut self, value: Option<AttrValue>) {
        if let Some(open) = self.open.last_mut() {
            open.values.push(value.map(AttributeOrProperty::Attribute));
        }
    }

    /// Adds a listener to the innermost element.
    #[inline(never)]
    pub fn listen(&mut self, kind: fn() -> ListenerKind, callback: Callback<Event>) {
        if let Some(open) = self.open.last_mut() {
            open.listeners.push(Some(Rc::new(On { kind, callback })));
        }
    }

    /// Says where to put a reference to the innermost element.
    #[inline(never)]
    pub fn refer(&mut self, reference: NodeRef) {
        if let Some(tag) = self.innermost() {
            tag.node_ref = reference;
        }
    }

    /// Gives the innermost element a key.
    #[inline(never)]
    pub fn identify(&mut self, key: Key) {
        if let Some(tag) = self.innermost() {
            tag.key = Some(key);
        }
    }

    /// Sets the text in a field.
    #[inline(never)]
    pub fn fill(&mut self, value: AttrValue) {
        if let Some(tag) = self.innermost() {
            tag.set_value(value);
        }
    }

    /// Adds a constant text.
    #[inline(never)]
    pub fn text(&mut self, text: &'static str) {
        self.add(VText::new(text).into());
    }

    /// Adds a node.
    #[inline(never)]
    pub fn add(&mut self, node: Html) {
        self.nodes.push(node);
    }

    /// Ends the innermost element or list.
    #[inline(never)]
    pub fn close(&mut self) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let children = self.take(open.before);
        let node = match open.tag {
            None => children,
            Some(mut tag) => {
                if let Some(place) = tag.children_mut() {
                    *place = children;
                }
                tag.attributes = Attributes::Dynamic {
                    keys: open.names,
                    values: open.values.into(),
                };
                if !open.listeners.is_empty() {
                    tag.set_listeners(open.listeners.into());
                }
                tag.into()
            }
        };
        self.nodes.push(node);
    }

    /// All nodes from this one on, as one.
    fn take(&mut self, first: usize) -> Html {
        if self.nodes.len() == first + 1 {
            return self.nodes.pop().unwrap_or_default();
        }
        let nodes: Vec<_> = self.nodes.drain(first..).collect();
        if nodes.is_empty() {
            Html::default()
        } else {
            VList::from(nodes).into()
        }
    }

    /// What was made.
    #[inline(never)]
    pub fn finish(mut self) -> Html {
        self.take(0)
    }
}

/// A listener of any kind. Yew has a type for each.
struct On {
    /// To clone one of Yew's kinds takes a kilobyte, because it has so many.
    kind: fn() -> ListenerKind,
    callback: Callback<Event>,
}

impl Listener for On {
    fn kind(&self) -> ListenerKind {
        (self.kind)()
    }

    fn handle(&self, event: Event) {
        self.callback.emit(event);
    }

    fn passive(&self) -> bool {
        false
    }
}

/// What can stand in braces as the value of an attribute.
pub trait Value {
    /// Sets the attribute.
    fn write(self, markup: &mut Markup);
}

impl Value for &'static str {
    #[inline(never)]
    fn write(self, markup: &mut Markup) {
        markup.set(Some(AttrValue::Static(self)));
    }
}

impl Value for Option<&'static str> {
    #[inline(never)]
    fn write(self, markup: &mut Markup) {
        markup.set(self.map(AttrValue::Static));
    }
}

impl Value for Option<String> {
    #[inline(never)]
    fn write(self, markup: &mut Markup) {
        markup.set(self.map(Into::into));
    }
}

impl Value for String {
    #[inline(never)]
    fn write(self, markup: &mut Markup) {
        markup.set(Some(self.into()));
    }
}

/// What can stand in braces among the children.
pub trait Child {
    /// Adds the child.
    fn write(self, markup: &mut Markup);
}

impl Child for Html {
    fn write(self, markup: &mut Markup) {
        markup.add(self);
    }
}

impl Child for &str {
    #[inline(never)]
    fn write(self, markup: &mut Markup) {
        markup.add(VText::new(self.to_owned()).into());
    }
}

impl Child for &String {
    fn write(self, markup: &mut Markup) {
        Child::write(self.as_str(), markup);
    }
}

impl Child for String {
    fn write(self, markup: &mut Markup) {
        Child::write(self.as_str(), markup);
    }
}

impl Child for usize {
    fn write(self, markup: &mut Markup) {
        Child::write(self.to_string(), markup);
    }
}

/// See the module.
macro_rules! view {
    // The end.
    (@in $m:ident) => {};
    // `</>`, `</name>` and `</@>`
    (@in $m:ident </> $($rest:tt)*) => {
        $m.close();
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    (@in $m:ident </ $name:tt > $($rest:tt)*) => {
        $m.close();
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    // `<>`, `<name …>` and `<@{name} …>`
    (@in $m:ident <> $($rest:tt)*) => {
        $m.open_list();
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    (@in $m:ident <@{ $tag:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m ($tag) "" [] [] [] {} $($rest)*);
    };
    (@in $m:ident <$tag:ident $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m () (stringify!($tag)) [] [] [] {} $($rest)*);
    };
    // `if … { … } else { … }`
    (@in $m:ident if $($rest:tt)*) => {
        $crate::ui::markup::view!(@if $m [] $($rest)*);
    };
    (@if $m:ident [$($condition:tt)*] { $($yes:tt)* } else { $($no:tt)* } $($rest:tt)*) => {
        $m.open_list();
        if $($condition)* {
            $crate::ui::markup::view!(@in $m $($yes)*);
        } else {
            $crate::ui::markup::view!(@in $m $($no)*);
        }
        $m.close();
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    (@if $m:ident [$($condition:tt)*] { $($yes:tt)* } $($rest:tt)*) => {
        $crate::ui::markup::view!(@if $m [$($condition)*] { $($yes)* } else {} $($rest)*);
    };
    (@if $m:ident [$($condition:tt)*] $next:tt $($rest:tt)*) => {
        $crate::ui::markup::view!(@if $m [$($condition)* $next] $($rest)*);
    };
    // Children in braces.
    (@in $m:ident { for $nodes:expr } $($rest:tt)*) => {
        $m.open_list();
        $nodes.for_each(|node| $m.add(node));
        $m.close();
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    (@in $m:ident { $text:literal } $($rest:tt)*) => {
        $m.text($text);
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    (@in $m:ident { $child:expr } $($rest:tt)*) => {
        $crate::ui::markup::Child::write($child, &mut $m);
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    // The end of what begins an element.
    (@tag $m:ident ($($dynamic:expr)?) $tag:tt [$($names:tt)*] [$($values:tt)*] [$($changing:tt)*] {$($then:tt)*} / > $($rest:tt)*) => {
        $crate::ui::markup::view!(@open $m ($($dynamic)?) $tag [$($names)* $($changing)*] [$($values)*]);
        $($then)*
        $m.close();
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    (@tag $m:ident ($($dynamic:expr)?) $tag:tt [$($names:tt)*] [$($values:tt)*] [$($changing:tt)*] {$($then:tt)*} > $($rest:tt)*) => {
        $crate::ui::markup::view!(@open $m ($($dynamic)?) $tag [$($names)* $($changing)*] [$($values)*]);
        $($then)*
        $crate::ui::markup::view!(@in $m $($rest)*);
    };
    (@open $m:ident () $tag:tt $names:tt $values:tt) => {
        $m.open(&$crate::ui::markup::Fixed { tag: $tag, names: &$names, values: &$values });
    };
    (@open $m:ident ($dynamic:expr) $tag:tt $names:tt $values:tt) => {
        $m.open_as($dynamic, &$crate::ui::markup::Fixed { tag: $tag, names: &$names, values: &$values });
    };
    // What is no attribute.
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt {$($then:tt)*} ref = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m $dynamic $tag $names $values $changing {$($then)* $m.refer($value);} $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt {$($then:tt)*} key = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m $dynamic $tag $names $values $changing {$($then)* $m.identify($value.into());} $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt {$($then:tt)*} value = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m $dynamic $tag $names $values $changing {$($then)* $m.fill($value.into());} $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt $then:tt onclick = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@listen onclick $value; $m $dynamic $tag $names $values $changing $then $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt $then:tt onfocus = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@listen onfocus $value; $m $dynamic $tag $names $values $changing $then $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt $then:tt oninput = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@listen oninput $value; $m $dynamic $tag $names $values $changing $then $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt $then:tt onkeydown = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@listen onkeydown $value; $m $dynamic $tag $names $values $changing $then $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt $then:tt onfocusout = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@listen onfocusout $value; $m $dynamic $tag $names $values $changing $then $($rest)*);
    };
    (@listen $kind:ident $value:expr; $m:ident $dynamic:tt $tag:tt $names:tt $values:tt $changing:tt {$($then:tt)*} $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m $dynamic $tag $names $values $changing {
            $($then)* $m.listen(|| ::yew::virtual_dom::ListenerKind::$kind, $value);
        } $($rest)*);
    };
    // Attributes.
    (@tag $m:ident $dynamic:tt $tag:tt $names:tt $values:tt [$($changing:tt)*] {$($then:tt)*} $name:ident $(- $more:ident)* = { $value:expr } $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m $dynamic $tag $names $values
            [$($changing)* concat!(stringify!($name) $(, "-", stringify!($more))*),]
            {$($then)* $crate::ui::markup::Value::write($value, &mut $m);} $($rest)*);
    };
    (@tag $m:ident $dynamic:tt $tag:tt [$($names:tt)*] [$($values:tt)*] $changing:tt $then:tt $name:ident $(- $more:ident)* = $value:literal $($rest:tt)*) => {
        $crate::ui::markup::view!(@tag $m $dynamic $tag
            [$($names)* concat!(stringify!($name) $(, "-", stringify!($more))*),] [$($values)* $value,]
            $changing $then $($rest)*);
    };
    // Everything.
    (< $($all:tt)*) => {{
        let mut markup = $crate::ui::markup::Markup::default();
        $crate::ui::markup::view!(@in markup < $($all)*);
        markup.finish()
    }};
}
pub(crate) use view;

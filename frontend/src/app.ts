/** Scripts of all pages. Every page works without them, as plain links and forms. */

import { confirmFirst } from "./page/confirm";
import { copyOnClick } from "./page/copy_buttons";
import { guardForms } from "./page/forms";
import { searchLive } from "./page/live_search";
import { followEvents } from "./page/live_updates";
import { previewMerges } from "./page/merge_preview";
import { offerFolders } from "./page/offers";
import { keepTimesRelative } from "./page/relative_times";
import { forgetSavedDrafts } from "./page/saved_drafts";
import { sendOnce } from "./page/sending";
import { listenForShortcuts } from "./page/shortcuts";
import { drawSweepForms } from "./page/sweep_form";
import { submitOnChange, switchTheme } from "./page/switches";
import { showCurrentTab } from "./page/tabs";

document.documentElement.classList.add("has-scripts");
sendOnce();
confirmFirst();
guardForms();
forgetSavedDrafts();
showCurrentTab();
keepTimesRelative();
copyOnClick();
submitOnChange();
switchTheme();
searchLive();
previewMerges();
drawSweepForms();
offerFolders();
listenForShortcuts();
followEvents();

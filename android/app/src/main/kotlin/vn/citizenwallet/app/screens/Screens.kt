package vn.citizenwallet.app.screens

import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place

/** The screen of a place; a name from another version of the app leads to the start. */
fun makeScreen(nav: Navigator, place: Place): Screen = when (place.screen) {
    Names.START -> StartScreen(nav, place)
    Names.FIRST -> FirstScreen(nav, place)
    Names.CREATE -> CreateScreen(nav, place)
    Names.UNLOCK -> UnlockScreen(nav, place)
    Names.ACTIVATION -> ActivationScreen(nav, place)
    Names.CARD_NUMBER -> CardNumberScreen(nav, place)
    Names.READ_CARD -> ReadCardScreen(nav, place)
    Names.CODE -> CodeScreen(nav, place)
    Names.FACE -> FaceScreen(nav, place)
    Names.OBTAIN -> ObtainScreen(nav, place)
    Names.DOCUMENTS -> DocumentsScreen(nav, place)
    Names.DOCUMENT -> DocumentScreen(nav, place)
    Names.SCAN -> ScanScreen(nav, place)
    Names.CONSENT -> ConsentScreen(nav, place)
    Names.SHOW -> ShowScreen(nav, place)
    Names.LOG -> LogScreen(nav, place)
    Names.NOTICES -> NoticesScreen(nav, place)
    Names.SETTINGS -> SettingsScreen(nav, place)
    Names.LANGUAGE -> LanguageScreen(nav, place)
    Names.PASSCODE -> PasscodeScreen(nav, place)
    Names.LOG_LEVEL -> LogLevelScreen(nav, place)
    Names.ABOUT -> AboutScreen(nav, place)
    Names.REMOVE -> RemoveScreen(nav, place)
    Names.ENROL -> EnrolScreen(nav, place)
    Names.STAFF -> StaffScreen(nav, place)
    Names.CARRY -> CarryScreen(nav, place)
    Names.TAKE -> TakeScreen(nav, place)
    Names.ASK -> AskScreen(nav, place)
    Names.ASK_FIELDS -> AskFieldsScreen(nav, place)
    Names.REQUEST -> RequestScreen(nav, place)
    Names.SCAN_ANSWER -> ScanAnswerScreen(nav, place)
    Names.VERDICT -> VerdictScreen(nav, place)
    else -> FirstScreen(nav, Place(Names.FIRST))
}
